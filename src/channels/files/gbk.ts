import iconv from 'iconv-lite';

/** Text in so many bytes of GBK, filled up with spaces; a character that does not fit whole is left out. */
export function cutGbk(text: string, bytes: number): Buffer {
  const field = Buffer.alloc(bytes, ' ');
  let at = 0;
  for (const char of text.replace(/\p{Cc}/gu, ' ')) {
    const encoded = iconv.encode(char, 'gbk');
    if (at + encoded.length > bytes) break;
    at += encoded.copy(field, at);
  }
  return field;
}

/** Text without the spaces behind it; undefined of bytes that are not whole characters of GBK. */
export function readGbk(bytes: Buffer): string | undefined {
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || byte === 0x7f || byte === 0x80 || byte === 0xff) return undefined;
    if (byte < 0x80) continue;
    at += 1;
    const second = bytes[at] ?? 0;
    if (second < 0x40 || second === 0x7f || second === 0xff) return undefined;
  }
  const text = iconv.decode(bytes, 'gbk');
  return text.includes('\ufffd') ? undefined : text.replace(/ +$/, '');
}
