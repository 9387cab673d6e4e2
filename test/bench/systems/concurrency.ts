/** Chats that one worker runs at once, the product's and the yardstick's alike: more than any scenario asks for. */
export const CHAT_CONCURRENCY = 2_500;
