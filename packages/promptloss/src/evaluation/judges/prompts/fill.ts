// Values into a prompt's {places}, all at once: braces in a value are text.

export function fillPrompt(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([a-z_0-9]+)\}/g, (place, name: string) => values[name] ?? place);
}
