// Values as Jinja writes them. Interpreters differ in the escapes that they know; these are everybody's.

export function jinjaString(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `'${escaped}'`;
}

/** @param value as JSON has it */
export function jinjaValue(value: unknown): string {
  if (typeof value === "string") return jinjaString(value);
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return `[${value.map(jinjaValue).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, each]) => `${jinjaString(key)}: ${jinjaValue(each)}`);
    return `{${entries.join(", ")}}`;
  }
  return String(value);
}
