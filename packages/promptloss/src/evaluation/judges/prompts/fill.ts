// Values into a prompt's {places}, all at once: braces in a value are text.

export const fillPrompt = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\{([a-z_0-9]+)\}/g, (place, name: string) => values[name] ?? place);
