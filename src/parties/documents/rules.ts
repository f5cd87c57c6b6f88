import { crc32 } from 'node:zlib';
import type { IdType } from '../../kernel/index.js';

/** What an image shows. */
export const DOCUMENT_KINDS = [
  'id-front',
  'id-back',
  'business-licence',
  'representative-id',
  'operator-id',
  'authorisation',
  'other',
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export const MEDIA_TYPES = ['image/jpeg', 'image/png', 'application/pdf'] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];
export const DOCUMENT_BYTES_MAX = 5 * 1024 * 1024;

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PNG_HEAD = Buffer.from('IHDR', 'latin1');
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);
const JPEG_END = Buffer.from([0xff, 0xd9]);
const PDF = Buffer.from('%PDF-', 'latin1');
const PDF_END = Buffer.from('%%EOF', 'latin1');
const TAIL = 1024;

/** What the bytes themselves say they are, by how they begin and end; undefined: nothing that is kept. */
export function mediaTypeOf(bytes: Buffer): MediaType | undefined {
  const tail = bytes.subarray(-TAIL);
  const begins = (magic: Buffer) => bytes.subarray(0, magic.length).equals(magic);
  if (begins(PNG) && bytes.subarray(12, 16).equals(PNG_HEAD)) return 'image/png';
  if (begins(JPEG) && tail.includes(JPEG_END)) return 'image/jpeg';
  return begins(PDF) && tail.includes(PDF_END) ? 'application/pdf' : undefined;
}

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
  for (let at = PNG.length; at + 12 <= bytes.length; ) {
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

/** Of which sort an image cannot be as well: nobody's document looks the same on both sides. */
export function otherSide(kind: DocumentKind): DocumentKind | undefined {
  if (kind === 'id-front') return 'id-back';
  return kind === 'id-back' ? 'id-front' : undefined;
}

/** The images of which a copy of an identity document consists. */
export function documentNeeds(idType: IdType): readonly DocumentKind[] {
  if (idType === 'uscc') return ['business-licence'];
  return idType === 'passport' ? ['id-front'] : ['id-front', 'id-back'];
}

/** Whether all images of a copy are there; that it is one staff says, who looks at them. */
export function isComplete(kinds: readonly DocumentKind[], idType: IdType): boolean {
  return documentNeeds(idType).every((kind) => kinds.includes(kind));
}
