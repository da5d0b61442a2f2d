/** Access tokens, also damaged ones; refresh tokens. */
const TOKEN = /eyJ[\w.+/=-]{8,}|lkr_[\w.+/=-]{4,}/g;

/** Strikes credentials out of what nobody foresaw: an error's message and where it came from. */
export const redactTokens = (text: string): string => text.replace(TOKEN, "[token]");
