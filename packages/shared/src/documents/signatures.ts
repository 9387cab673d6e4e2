/** The first bytes of files that are not text, by which files are known whatever their names say. */

export type Signature = {
  /** What a message calls the format. */
  readonly name: string;
  /** The bytes as text in Latin-1. */
  readonly bytes: string;
  /** Where they are. Default: 0. */
  readonly at?: number;
};

/** The head of a PDF may stand behind other bytes; readers look for it in the first 1,024. */
export const PDF_HEAD = "%PDF-";
export const PDF_HEAD_WITHIN = 1_024;

export const ZIP = "PK\x03\x04";
/** Files of the older Office programs, and those of the newer ones with a password. */
export const COMPOUND_FILE = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/** None of these can be read. They consist of text, and yet are none. */
export const UNSUPPORTED_MARKUP: readonly Signature[] = [
  { name: "RTF", bytes: "{\\rtf" },
  { name: "PostScript", bytes: "%!PS" },
];

/** None of these can be read. They count only if control characters follow: a text may begin with such a word. */
export const UNSUPPORTED: readonly Signature[] = [
  { name: "PNG", bytes: "\x89PNG" },
  { name: "JPEG", bytes: "\xff\xd8\xff" },
  { name: "GIF", bytes: "GIF87a" },
  { name: "GIF", bytes: "GIF89a" },
  { name: "TIFF", bytes: "II*\0" },
  { name: "TIFF", bytes: "MM\0*" },
  { name: "WebP, WAV or AVI", bytes: "RIFF" },
  { name: "MP4, HEIC or AVIF", bytes: "ftyp", at: 4 },
  { name: "MP3", bytes: "ID3" },
  { name: "Ogg", bytes: "OggS" },
  { name: "FLAC", bytes: "fLaC" },
  { name: "Matroska or WebM", bytes: "\x1aE\xdf\xa3" },
  { name: "gzip", bytes: "\x1f\x8b" },
  { name: "bzip2", bytes: "BZh" },
  { name: "xz", bytes: "\xfd7zXZ\0" },
  { name: "Zstandard", bytes: "(\xb5/\xfd" },
  { name: "7-Zip", bytes: "7z\xbc\xaf\x27\x1c" },
  { name: "RAR", bytes: "Rar!\x1a\x07" },
  { name: "tar", bytes: "ustar", at: 257 },
  { name: "ZIP", bytes: "PK\x05\x06" },
  { name: "an executable", bytes: "\x7fELF" },
  { name: "an executable", bytes: "MZ\x90\0" },
  { name: "an executable", bytes: "\xcf\xfa\xed\xfe" },
  { name: "an executable", bytes: "\xca\xfe\xba\xbe" },
  { name: "WebAssembly", bytes: "\0asm" },
  { name: "SQLite", bytes: "SQLite format 3\0" },
  { name: "DjVu", bytes: "AT&TFORM" },
];

/** What a ZIP archive is, by the name of a file in it; the first that fits. */
export const IN_ZIP: readonly { readonly name: string; readonly entry: string }[] = [
  { name: "DOCX", entry: "word/" },
  { name: "XLSX", entry: "xl/" },
  { name: "PPTX", entry: "ppt/" },
  { name: "OpenDocument", entry: "mimetypeapplication/vnd.oasis.opendocument" },
  { name: "EPUB", entry: "mimetypeapplication/epub+zip" },
];
