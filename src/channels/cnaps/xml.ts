import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** A message that cannot be read in full, or contradicts itself. It is refused whole: nothing may be concluded from any part of it. */
export class Unreadable extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'Unreadable';
  }
}

/** Bytes of one document. A batch of the most payments with the longest names has about half of it. */
const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 16;

/** Elements that may repeat; any other that comes twice makes its document unreadable, since its shape expects one. */
const REPEATED = new Set(['CdtTrfTxInf', 'Ustrd', 'Strd', 'AddtlRmtInf']);

/** What XML 1.0 cannot carry, not even escaped: most control characters, halves of surrogate pairs, and two that are none. */
const NOT_XML = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** Whether a text can stand in a message. */
export function isXmlText(text: string): boolean {
  return !NOT_XML.test(text);
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false, // amounts and numbers with leading zeros stay text
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false, // decoded here, the five of XML itself and characters by number
  maxNestedTags: DEPTH_MAX,
  jPath: false, // no path is asked for, and to make one for each element takes most of the time
  isArray: (name) => REPEATED.has(name),
});

/**
 * Parses a document of one root into plain objects: an element with only text is that text, attributes have `@` before their name.
 * There is no document type, entity, comment, CDATA section or processing instruction in these messages, so that one is refused.
 * @returns the root element's name and content
 * @throws Unreadable when it is too long, too deep, not well-formed, or has any of these
 */
export function parseXml(text: string): { readonly root: string; readonly content: unknown } {
  if (Buffer.byteLength(text) > DOCUMENT_BYTES_MAX) throw new Unreadable('the document is too long');
  if (!isXmlText(text)) throw new Unreadable('the document has characters that XML does not know');
  const declaration = /^<\?xml version="1\.0"(?: encoding="UTF-8")?(?: standalone="(?:yes|no)")? ?\?>/i.exec(text)?.[0] ?? '';
  const body = text.slice(declaration.length);
  if (/<[!?]/.test(body)) throw new Unreadable('the document has a document type, a comment, CDATA or an instruction');
  const entries = Object.entries(parsed(body)).filter(([name]) => name !== '#text');
  const [only] = entries;
  if (only === undefined || entries.length > 1 || Array.isArray(only[1])) throw new Unreadable('the document has not one root');
  return { root: only[0], content: plain(only[1]) };
}

function parsed(body: string): Record<string, unknown> {
  try {
    if (XMLValidator.validate(body) === true) return parser.parse(body) as Record<string, unknown>;
  } catch {
    // The validator throws at reserved names, the parser at too deep a nesting.
  }
  throw new Unreadable('the document is not well-formed');
}

/** Decodes text, and drops the white space between elements. */
function plain(node: unknown): unknown {
  if (typeof node === 'string') return decoded(node);
  if (Array.isArray(node)) return node.map(plain);
  const entries = Object.entries(node as Record<string, unknown>);
  const hasElements = entries.some(([name]) => name !== '#text' && !name.startsWith('@'));
  const kept = entries.filter(([name, content]) => {
    if (!hasElements || name !== '#text') return true;
    if (/\S/.test(String(content))) throw new Unreadable('the document has text between its elements');
    return false;
  });
  return Object.fromEntries(kept.map(([name, content]) => [name, plain(content)]));
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replace(/&[^;]*;?/g, (reference) => {
    const [, name, decimal, hex] = /^&(?:([a-z]{2,4})|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));$/.exec(reference) ?? [];
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    const found = name === undefined ? (code <= 0x10ffff ? String.fromCodePoint(code) : undefined) : NAMED[name];
    if (found === undefined || !isXmlText(found)) throw new Unreadable('the document refers to an entity');
    return found;
  });
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A reader of XML makes a line feed of a bare carriage return.
  '\r': '&#13;',
  // Blocks of the header begin with a brace; none in the text can be taken for one.
  '{': '&#123;',
};

/** An element with text, or none at all where there is no text. The text must be one that `isXmlText`. */
export function leaf(name: string, text: string | undefined, attributes = ''): string {
  if (text === undefined) return '';
  return `<${name}${attributes}>${text.replace(/[&<>"\r{]/g, (character) => ESCAPES[character] as string)}</${name}>`;
}

/** An element with elements in it. */
export function element(name: string, ...children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}
