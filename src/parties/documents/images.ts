import { crc32 } from 'node:zlib';
import type { MediaType } from './rules.js';

const PNG_SIGNATURE_BYTES = 8;
const BYTES_MIN = 1_024;
/** Pixels: below it nobody can read a document, above it no camera takes one. */
const SIDE_MIN = 200;
const SIDE_MAX = 20_000;

/**
 * Why a file cannot be the image of a document, though it begins and ends like one; undefined: staff can look at it. It must be whole, and
 * as large as something that can be read. What it shows only somebody who looks at it can say.
 */
export function faultOfImage(bytes: Buffer, type: MediaType): string | undefined {
  if (bytes.length < BYTES_MIN) return `It has fewer than ${BYTES_MIN} bytes.`;
  if (type === 'application/pdf') return undefined;
  const size = type === 'image/png' ? pngSize(bytes) : jpegSize(bytes);
  if (size === undefined) return 'It is not whole.';
  const [least, most] = [Math.min(...size), Math.max(...size)];
  if (least >= SIDE_MIN && most <= SIDE_MAX) return undefined;
  return `It has ${size.join(' × ')} pixels; each side has from ${SIDE_MIN} to ${SIDE_MAX}.`;
}

type Size = readonly [width: number, height: number];

/** Of a PNG whose chunks pass their checks, with a picture among them, up to its end. */
function pngSize(bytes: Buffer): Size | undefined {
  let size: Size | undefined;
  let pictures = 0;
  for (let at = PNG_SIGNATURE_BYTES; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) return undefined;
    const name = bytes.toString('latin1', at + 4, at + 8);
    if (size === undefined) {
      if (name !== 'IHDR' || length !== 13) return undefined;
      size = [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)];
    }
    if (name === 'IDAT' && length > 0) pictures += 1;
    if (name === 'IEND') return pictures > 0 ? size : undefined;
    at = end + 4;
  }
  return undefined;
}

/** Markers that begin a frame (SOF0 … SOF15), without those that define tables (ITU-T T.81, table B.1). */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Of a JPEG whose segments lead to a frame and from there to a scan. */
function jpegSize(bytes: Buffer): Size | undefined {
  let size: Size | undefined;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at += 1; // filling
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) return undefined;
    if (marker === 0xda) return size;
    if (isFrame(marker) && length >= 8) size = [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    at += 2 + length;
  }
  return undefined;
}
