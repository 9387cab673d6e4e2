/** Chats that one worker of the product or of `floor` runs at once: more than any scenario starts. */
export const CHAT_CONCURRENCY = 2_500;
