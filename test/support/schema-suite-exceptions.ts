/** What `schema-suite.test.ts` knows to differ from the draft, by its reason. */

/** Schemas that are refused, and the refusal says why. */
export const REFUSED: Readonly<Record<string, readonly string[]>> = {
  "`$dynamicRef` in a schema with several resources": [
    "dynamicRef.json: A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated",
    "dynamicRef.json: A $dynamicRef without anchor in fragment behaves identical to $ref",
    "dynamicRef.json: A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution",
    "dynamicRef.json: An $anchor with the same name as a $dynamicAnchor is not used for dynamic scope resolution",
    "dynamicRef.json: A $dynamicRef without a matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
    "dynamicRef.json: A $dynamicRef with a non-matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
    "dynamicRef.json: A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope",
    "dynamicRef.json: A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor behaves like a normal $ref to $anchor",
    "dynamicRef.json: multiple dynamic paths to the $dynamicRef keyword",
    "dynamicRef.json: after leaving a dynamic scope, it is not used by a $dynamicRef",
    "dynamicRef.json: $dynamicRef skips over intermediate resources - direct reference",
    "dynamicRef.json: $dynamicRef avoids the root of each schema, but scopes are still registered",
    "optional/dynamicRef.json: $dynamicRef skips over intermediate resources - pointer reference across resource boundary",
    "unevaluatedItems.json: unevaluatedItems with $dynamicRef",
    "unevaluatedProperties.json: unevaluatedProperties with $dynamicRef",
  ],
  "references to other documents are not followed": [
    "dynamicRef.json: strict-tree schema, guards against misspelled properties",
    "dynamicRef.json: tests for implementation dynamic anchor and reference link",
    "dynamicRef.json: $ref and $dynamicAnchor are independent of order - $defs first",
    "dynamicRef.json: $ref and $dynamicAnchor are independent of order - $ref first",
    "dynamicRef.json: $ref to $dynamicRef finds detached $dynamicAnchor",
    "optional/cross-draft.json: refs to historic drafts are processed as historic drafts",
    "refRemote.json: remote ref",
    "refRemote.json: fragment within remote ref",
    "refRemote.json: anchor within remote ref",
    "refRemote.json: ref within remote ref",
    "refRemote.json: base URI change",
    "refRemote.json: base URI change - change folder",
    "refRemote.json: base URI change - change folder in subschema",
    "refRemote.json: root ref in remote ref",
    "refRemote.json: remote ref with ref to defs",
    "refRemote.json: Location-independent identifier in remote ref",
    "refRemote.json: retrieved nested refs resolve relative to their URI not $id",
    "refRemote.json: remote HTTP ref with different $id",
    "refRemote.json: remote HTTP ref with different URN $id",
    "refRemote.json: remote HTTP ref with nested absolute ref",
    "refRemote.json: $ref to $ref finds detached $anchor",
  ],
  "patterns are RE2's": [
    "optional/ecmascript-regex.json: ECMA 262 regex escapes control codes with \\c and upper letter",
    "optional/ecmascript-regex.json: ECMA 262 regex escapes control codes with \\c and lower letter",
    "optional/ecmascript-regex.json: patterns always use unicode semantics with pattern",
    "optional/ecmascript-regex.json: pattern with non-ASCII digits",
    "optional/ecmascript-regex.json: patterns always use unicode semantics with patternProperties",
    "optional/ecmascript-regex.json: patternProperties with non-ASCII digits",
    "pattern.json: pattern with Unicode property escape requires unicode mode",
    "patternProperties.json: patternProperties with Unicode property escape",
  ],
  "an `$id` in an unknown keyword counts": [
    "optional/unknownKeyword.json: $id inside an unknown keyword is not a real identifier",
  ],
  "references by which Ajv loops": [
    "ref.json: refs with relative uris and defs",
    "ref.json: relative refs with absolute uris and defs",
    "ref.json: URN ref with nested pointer ref",
  ],
  "`unevaluatedItems` beside what Ajv does not track": [
    "unevaluatedItems.json: unevaluatedItems with nested items",
    "unevaluatedItems.json: unevaluatedItems depends on adjacent contains",
    "unevaluatedItems.json: unevaluatedItems depends on multiple nested contains",
    "unevaluatedItems.json: unevaluatedItems and contains interact to control item dependency relationship",
    "unevaluatedItems.json: unevaluatedItems with minContains = 0",
    "unevaluatedItems.json: unevaluatedItems can see annotations from if without then and else",
  ],
};

/** Values of which the verdict is not the draft's. */
export const WRONG: Readonly<Record<string, readonly string[]>> = {
  "RE2's `\\s` is that of ASCII": [
    "optional/ecmascript-regex.json: ECMA 262 \\s matches whitespace: Line tabulation matches",
    "optional/ecmascript-regex.json: ECMA 262 \\s matches whitespace: latin-1 non-breaking-space matches",
    "optional/ecmascript-regex.json: ECMA 262 \\s matches whitespace: zero-width whitespace matches",
    "optional/ecmascript-regex.json: ECMA 262 \\s matches whitespace: paragraph separator matches (line terminator)",
    "optional/ecmascript-regex.json: ECMA 262 \\s matches whitespace: EM SPACE matches (Space_Separator)",
    "optional/ecmascript-regex.json: ECMA 262 \\S matches everything but whitespace: Line tabulation does not match",
    "optional/ecmascript-regex.json: ECMA 262 \\S matches everything but whitespace: latin-1 non-breaking-space does not match",
    "optional/ecmascript-regex.json: ECMA 262 \\S matches everything but whitespace: zero-width whitespace does not match",
    "optional/ecmascript-regex.json: ECMA 262 \\S matches everything but whitespace: paragraph separator does not match (line terminator)",
    "optional/ecmascript-regex.json: ECMA 262 \\S matches everything but whitespace: EM SPACE does not match (Space_Separator)",
  ],
  "a quotient beyond the range of numbers": [
    "optional/float-overflow.json: all integers are multiples of 0.5, if overflow is handled: valid if optional overflow handling is implemented",
  ],
  "vocabularies of a meta-schema of one's own": [
    "vocabulary.json: schema that uses custom metaschema with with no validation vocabulary: no validation: invalid number, but it still validates",
  ],
};
