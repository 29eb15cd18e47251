/**
 * Bytes in a JavaScript string, seven bits a byte of UTF-8: groups of seven bits, high bits first, are characters of that code. Eight
 * codes cannot stand in a double-quoted string of a script that may stand in a page (0, line ends, quotes, backslash, `<`), or are
 * mistaken for an end of file; a group of that code and the one behind it are one of 1,024 characters of two bytes. 14 % longer
 * than the bytes, where base64 is 33 % longer (after Albertson's base122, 2016, with other characters).
 */

/** Codes that do not stand for themselves. */
const special = [0, 10, 13, 26, 34, 60, 92, 127] as const;
const firstPair = 256;

/** The characters of `bytes`. */
export function encodeText(bytes: Uint8Array): string {
  const groups = Array.from({ length: Math.ceil((8 * bytes.length) / 7) }, (_, i) => {
    const [at, shift] = [Math.floor((7 * i) / 8), 9 - ((7 * i) % 8)];
    return ((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) >> shift) & 127;
  });
  let text = "";
  for (let i = 0; i < groups.length; i++) {
    const place = (special as readonly number[]).indexOf(groups[i]!);
    text += String.fromCharCode(place < 0 ? groups[i]! : firstPair + 128 * place + (groups[++i] ?? 0));
  }
  return text;
}

/** The `length` bytes of a text. */
export function decodeText(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  let [held, bits] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= firstPair) {
      held = (held << 7) | special[(code - firstPair) >> 7]!;
      bits += 7;
      if (bits > 7) {
        bits -= 8;
        bytes[at++] = held >> bits;
      }
    }
    held = (held << 7) | (code & 127);
    bits += 7;
    if (bits > 7) {
      bits -= 8;
      bytes[at++] = held >> bits;
    }
  }
  return bytes;
}
