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
