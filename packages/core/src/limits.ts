/** Bounds that keep every reading cheap, whatever came over the wire. */

/** Characters of a text that are looked at. Answers of the cloud are far below; a log line may not be. */
export const MAX_TEXT = 65_536;
/** How deep JSON inside JSON, causes of causes and objects in objects are followed. */
export const MAX_DEPTH = 8;
/** Keys of one object, and members of one list, that are looked at. */
export const MAX_KEYS = 64;
