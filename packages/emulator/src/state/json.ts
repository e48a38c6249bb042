/** Plain JSON, as twins and payloads hold it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Twin merge: `null` removes, objects merge, everything else replaces (devguide-device-twins).
 * Depth is limited by the size limits of a twin's sections, which callers check first.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result: JsonObject = Object.assign(Object.create(null), target);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (isJsonObject(value)) {
      const old = result[name];
      result[name] = mergePatch(isJsonObject(old) ? old : {}, value);
    } else result[name] = value;
  }
  return { ...result };
}
