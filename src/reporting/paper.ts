import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type PDFDocument from 'pdfkit';
import { dateOf, type Instant } from '../kernel/index.js';
import { Turnstile } from './turnstile.js';

/** What the bank prints: the font, the ink, and the letting in of one sheet at a time. */
const FACES = { regular: '400Regular/NotoSansSC_400Regular.ttf', medium: '500Medium/NotoSansSC_500Medium.ttf' } as const;
export type Face = keyof typeof FACES;

const fonts = new Map<Face, Buffer>();

/** Noto Sans SC (SIL Open Font License), which has the characters of GB 18030's first level and more. Only what is used goes into the file. */
function fontOf(face: Face): Buffer {
  const known =
    fonts.get(face) ?? readFileSync(createRequire(import.meta.url).resolve(`@expo-google-fonts/noto-sans-sc/${FACES[face]}`));
  fonts.set(face, known);
  return known;
}

export const INK = { text: '#1f2933', faint: '#6b7785', rule: '#c3cbd4', band: '#f1f4f7', seal: '#a5282c' } as const;

export type Paper = InstanceType<typeof PDFDocument>;

interface Sheet {
  readonly size: 'A4' | 'A5';
  readonly title: string;
  readonly madeMs: Instant;
}

const printing = new Turnstile({ inside: 1, line: 20 });

/**
 * Prints a document: one at a time in this process, since it takes the processor. Whoever draws lets others in between (`breathe`).
 * @throws Refused OVERLOADED
 */
export function print({ size, title, madeMs }: Sheet, draw: (paper: Paper) => Promise<void>): Promise<Buffer> {
  return printing.pass(async () => {
    const { default: Document } = await import('pdfkit'); // a large package, which most processes never need
    const at = dateOf(madeMs);
    const paper = new Document({
      ...{ size, layout: 'landscape', margin: 0, compress: true, autoFirstPage: false, lang: 'zh-CN' },
      info: { Title: title, Creator: 'Cunguan', Producer: 'Cunguan', CreationDate: at, ModDate: at },
    });
    const parts: Buffer[] = [];
    paper.on('data', (part: Buffer) => parts.push(part));
    const whole = new Promise<void>((resolve, reject) => {
      paper.once('end', resolve);
      paper.once('error', reject);
    });
    for (const face of Object.keys(FACES) as Face[]) {
      paper.registerFont(face, fontOf(face)).font(face); // read now, since that alone takes a tenth of a second
      await breathe();
    }
    await draw(paper);
    await breathe();
    paper.end();
    await whole;
    return Buffer.concat(parts);
  });
}

/** Lets whoever else waits for this process be served. */
export function breathe(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly size: number;
  readonly align?: 'left' | 'right' | 'center';
  readonly face?: Face;
  readonly ink?: string;
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line of text in its place; what is too long for it ends in an ellipsis, and figures, which stand on the right, are written smaller. */
export function write(
  paper: Paper,
  text: string,
  { x, y, width, size, align = 'left', face = 'regular', ink = INK.text }: Placed,
): void {
  paper.font(face).fontSize(size).fillColor(ink);
  const plain = text.replace(INVISIBLE, ' ');
  if (align === 'right') paper.fontSize(Math.min(size, (size * width) / Math.max(1, paper.widthOfString(plain))));
  const shown = align === 'right' ? plain : fitted(paper, plain, width);
  const left = align === 'left' ? x : x + (width - paper.widthOfString(shown)) / (align === 'right' ? 1 : 2);
  paper.text(shown, left, y, { lineBreak: false });
}

function fitted(paper: Paper, text: string, width: number): string {
  if (paper.widthOfString(text) <= width) return text;
  const letters = [...text];
  let low = 0;
  let high = letters.length;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (paper.widthOfString(`${letters.slice(0, middle).join('')}…`) <= width) low = middle;
    else high = middle;
  }
  return `${letters.slice(0, low).join('')}…`;
}

export function rule(paper: Paper, x: number, y: number, width: number, ink: string = INK.rule): void {
  paper
    .moveTo(x, y)
    .lineTo(x + width, y)
    .lineWidth(0.5)
    .strokeColor(ink)
    .stroke();
}
