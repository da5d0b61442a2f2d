/**
 * Text into and out of buffers by the methods that Node's own `write` and `toString` end in. Called directly they save looking the encoding up, which
 * takes as long as the copying. Node does not document them, so whether they do what they should is tried once, and where not the documented ones serve.
 */

interface DirectMethods {
  latin1Write(text: string, offset: number, length: number): number;
  latin1Slice(start: number, end: number): string;
  base64urlWrite(text: string, offset: number, length: number): number;
}

export interface BufferText {
  /** Writes the low byte of each character, as many as there is room for. @returns how many bytes were written. */
  writeLatin1(target: Buffer, text: string, offset: number): number;
  readLatin1(source: Buffer, start: number, end: number): string;
  /** Decodes base64url, as leniently as Node does. @returns how many bytes were written. */
  writeBase64url(target: Buffer, text: string): number;
}

const DOCUMENTED: BufferText = {
  writeLatin1: (target, text, offset) => target.write(text, offset, text.length, "latin1"),
  readLatin1: (source, start, end) => source.toString("latin1", start, end),
  writeBase64url: (target, text) => target.write(text, 0, target.length, "base64url"),
};

const DIRECT: BufferText = {
  // Unlike the documented method this one throws where the text is longer than the room.
  writeLatin1: (target, text, offset) =>
    (target as unknown as DirectMethods).latin1Write(text, offset, Math.min(text.length, target.length - offset)),
  readLatin1: (source, start, end) => (source as unknown as DirectMethods).latin1Slice(start, end),
  writeBase64url: (target, text) => (target as unknown as DirectMethods).base64urlWrite(text, 0, target.length),
};

/** True when all three do on a sample what is promised of them. */
export function isFaithful({ writeLatin1, readLatin1, writeBase64url }: BufferText): boolean {
  try {
    const buffer = Buffer.alloc(8, 0x2e);
    return (
      writeLatin1(buffer, "a\u00ff", 1) === 2 &&
      readLatin1(buffer, 0, 4) === ".a\u00ff." &&
      writeBase64url(buffer, "-_8") === 2 &&
      buffer.toString("latin1") === "\u00fb\u00ff\u00ff....."
    );
  } catch {
    return false;
  }
}

export const { writeLatin1, readLatin1, writeBase64url }: BufferText = isFaithful(DIRECT) ? DIRECT : DOCUMENTED;
