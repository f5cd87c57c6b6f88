import { createHash } from 'node:crypto';
import { isXmlText, parseXml, Unreadable } from './xml.js';

/** The three clearing systems of the People's Bank that carry customers' credit transfers: 大额, 小额, 网银互联. */
export const CNAPS_CODES = ['hvps', 'beps', 'ibps'] as const;
export type CnapsCode = (typeof CNAPS_CODES)[number];

/** The custodian's participant number (支付系统行号), and the name of the system's node (NPC) in headers. */
export const PARTICIPANT = '999100000011';
const NODE = '0000';
const NODE_SYSTEM = 'PMTS';

/** The block that stands before every document: who sends what to whom, on the level of communication. */
export interface Header {
  readonly system: CnapsCode;
  /** `up` from the participant to the system. */
  readonly direction: 'up' | 'down';
  /** Local time, `YYYY-MM-DDTHH:MM:SS`. */
  readonly sentAt: string;
  /** As `hvps.111.001.01`, at most 20 characters. */
  readonly type: string;
  /** The sender's number of this message on the line, at most 20 characters; another than the document's MsgId. */
  readonly mesgId: string;
  /** The `mesgId` that this answers, or its own. */
  readonly refId: string;
}

export interface Message extends Header {
  /** The content of the root element `Document`; not parsed further. */
  readonly content: unknown;
}

/** A number of 20 characters for the header, the same for the same message. */
export function mesgIdOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 20).toUpperCase();
}

/** The header block and the digest block, then the document. `body` is what stands in the element `Document`. */
export function encodeMessage(header: Header, body: string): string {
  const block = headerBlock(header);
  const document = `<?xml version="1.0" encoding="UTF-8"?>\r\n<Document xmlns="${namespaceOf(header.type)}">${body}</Document>\r\n`;
  return `${block}\r\n{S:SHA-256=${digestOf(block, document)}}\r\n${document}`;
}

/** The namespace of a message type. The body of hvps.111 is that of ISO 20022 itself. */
function namespaceOf(type: string): string {
  if (type.startsWith('hvps.111.')) return 'urn:iso:std:iso:20022:tech:xsd:pacs.008.001.02';
  return `urn:cnaps:std:${type.slice(0, 4)}:2010:tech:xsd:${type}`;
}

/** SHA-256 over the header block and the document. It guards against damage; who sent it, the line proves. */
function digestOf(block: string, document: string): string {
  return createHash('sha256').update(`${block}\r\n${document}`).digest('hex');
}

function headerBlock({ system, direction, sentAt, type, mesgId, refId }: Header): string {
  const ends = [PARTICIPANT.padEnd(14) + system.toUpperCase(), NODE.padEnd(14) + NODE_SYSTEM];
  const [sender, receiver] = direction === 'up' ? ends : ends.reverse();
  const at = sentAt.replace(/[-:T]/g, '');
  const letter = direction === 'up' ? 'U' : 'D';
  return `{H:02${sender}${receiver}${at}XML${type.padEnd(20)}${mesgId.padEnd(20)}${refId.padEnd(20)}3${letter}${' '.repeat(9)}}`;
}

/** Reads the block's fixed columns. What is not from us (up) or for us (down) is not one of these messages. */
function parseHeader(block: string): Header {
  const column = (from: number, length: number) => block.slice(5 + from, 5 + from + length).trimEnd();
  const direction = column(114, 1) === 'U' ? 'up' : 'down';
  const [party, systemName] = direction === 'up' ? [column(0, 14), column(14, 4)] : [column(18, 14), column(32, 4)];
  const [type, mesgId, refId] = [column(53, 20), column(73, 20), column(93, 20)];
  const system = CNAPS_CODES.find((code) => code.toUpperCase() === systemName);
  const time = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(column(36, 14));
  const named = [type, mesgId, refId].every((text) => /^[A-Za-z0-9._-]{1,20}$/.test(text));
  const fixed = block.startsWith('{H:02') && block.endsWith('}') && column(50, 3) === 'XML' && /^[UD]$/.test(column(114, 1));
  if (!fixed || !named || time === null || system === undefined || party !== PARTICIPANT)
    throw new Unreadable('the header is not one');
  const [, year, month, day, hour, minute, second] = time;
  return { system, direction, sentAt: `${year}-${month}-${day}T${hour}:${minute}:${second}`, type, mesgId, refId };
}

/** A message as it came, whole: its digest says where it ends. What is in it may still be anything. */
export interface FramedMessage {
  readonly text: string;
  /** @throws Unreadable when the header is not one of ours, or the document cannot be read or is of another type */
  open(): Message;
}

/** Where a message may end: behind a tag and before another block, or with the text. A document may have such letters in it too. */
const BLOCK = /(?<=>\s*)\{[HQZ]:/g;

/**
 * Finds the message that begins at `from`. Only the digest says where it ends: a payer's words may look like the head of another message.
 * @throws Unreadable when no message begins there, when it has no digest block, or when it is not what its digest says
 */
function frameAt(text: string, from: number): { readonly message: FramedMessage; readonly end: number } {
  const head = /\{H:[^\r\n]{126}\}\r\n/y;
  head.lastIndex = from;
  const block = head.exec(text)?.[0].slice(0, -2);
  if (block === undefined || !isXmlText(block)) throw new Unreadable('the header is not one');
  const digestBlock = /\{S:SHA-256=([0-9a-f]{64})\}\r\n/y;
  digestBlock.lastIndex = head.lastIndex;
  const digest = digestBlock.exec(text)?.[1];
  if (digest === undefined) throw new Unreadable('the message has no digest block');
  const begin = digestBlock.lastIndex;
  const hash = createHash('sha256').update(`${block}\r\n`);
  BLOCK.lastIndex = begin;
  for (let read = begin; read < text.length; ) {
    const end = BLOCK.exec(text)?.index ?? text.length;
    hash.update(text.slice(read, end));
    if (hash.copy().digest('hex') === digest) {
      const message = { text: text.slice(from, end), open: () => openMessage(block, text.slice(begin, end)) };
      return { message, end };
    }
    read = end;
  }
  throw new Unreadable('the digest is another');
}

function openMessage(block: string, document: string): Message {
  const header = parseHeader(block);
  const { root, content } = parseXml(document);
  const namespace = (content as Record<string, unknown> | string)['@xmlns' as never];
  if (root !== 'Document' || namespace !== namespaceOf(header.type)) throw new Unreadable('the document is not of its type');
  return { ...header, content };
}

/**
 * Reads messages that stand one after another.
 * @throws Unreadable when one of them cannot be read, has no digest or another
 */
export function decodeMessages(text: string): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < text.length; ) {
    const { message, end } = frameAt(text, at);
    messages.push(message.open());
    at = end;
  }
  return messages;
}

/** The header of a message whose document may be anything, so that it can be told what became of it. */
export function headerOf(text: string): Header | undefined {
  try {
    return parseHeader(text.slice(0, 130));
  } catch {
    return undefined;
  }
}

/** One place in the inbound queue: its cursor, and the messages that lie there. */
export interface QueueItem<M> {
  readonly cursor: string;
  readonly messages: readonly M[];
}

/** A page of the queue: before each item its cursor, in the end how many items there were, so that a page that was cut off is known. */
export function encodeQueue(items: readonly QueueItem<string>[]): string {
  return `${items.map(({ cursor, messages }) => `{Q:${cursor}}\r\n${messages.join('')}`).join('')}{Z:${items.length}}\r\n`;
}

/**
 * Reads a page whole; its messages are not opened, so that one that is odd does not take its neighbours with it.
 * @throws Unreadable when the page is not whole, or a message in it has no digest or another: it was damaged on the way, and is asked for again
 */
export function decodeQueue(text: string): QueueItem<FramedMessage>[] {
  const items: { cursor: string; messages: FramedMessage[] }[] = [];
  for (let at = 0; ; ) {
    const [head, letter, number = ''] = /^\{([QZ]):([0-9]{1,15})\}\r\n/.exec(text.slice(at, at + 21)) ?? [];
    if (head === undefined) throw new Unreadable('the page of the queue has no end, or an item no cursor');
    at += head.length;
    if (letter === 'Z') {
      if (at !== text.length) throw new Unreadable('something stands behind the page of the queue');
      if (items.length !== Number(number)) throw new Unreadable('the page of the queue has not all its items');
      return items;
    }
    const messages: FramedMessage[] = [];
    while (text.startsWith('{H:', at)) {
      const { message, end } = frameAt(text, at);
      messages.push(message);
      at = end;
    }
    items.push({ cursor: number, messages });
  }
}
