import { commitBatch, listLines, previewBatch, receiveFile, rerunBatch, runBatch } from '../../../src/batches/index.js';
import { createIntake } from '../../../src/instructions/index.js';
import { asId, type Id, Refused } from '../../../src/kernel/index.js';
import type { Model } from '../model/model.js';
import type { Asked, World } from '../world/world.js';
import { outcomesOf } from '../world/world.js';

/**
 * Files of instructions in scenarios:
 *
 *   batch B1 partial [count 3] [sum 100.00]      a file under a number; or `atomic`
 *   line B1 1 split order:1 → anna 60.00         a line of it: its number, and what it says
 *   file B1                                      it is sent; `refused CODE` where it is not legal
 *   preview B1: 1 posted, 2 FUNDS_INSUFFICIENT   what would become of each line
 *   commit B1: 1 posted, 2 FUNDS_INSUFFICIENT    started, and run to its end; `waits` where it waits
 *   rerun B1 after 1: 2 posted                   all lines after running again those that attempt 1 refused; or `refused CODE`
 */
export interface Batches {
  /** Answers `accepted`, or the code of the refusal or of the first fault. */
  send(file: BatchText): Promise<string>;
  preview(no: string): Promise<Words>;
  /** With a second click. */
  commit(no: string): Promise<Words>;
  rerun(no: string, after: number): Promise<Words>;
}
/** By line: posted, waits, not-executed or a code; or the code of a refusal alone. */
export type Words = ReadonlyMap<number, string> | string;

export interface BatchText {
  readonly platform: string;
  readonly no: string;
  readonly mode: 'partial' | 'atomic';
  readonly count?: number;
  readonly sum?: number;
  readonly lines: readonly BatchLine[];
}
interface BatchLine {
  readonly line: number;
  readonly kind: string;
  readonly data: Asked['data'];
}

interface Staged {
  readonly platform: { readonly id: string };
  readonly bank: { readonly batches: Batches };
}
type Step<S> = readonly [form: RegExp, run: (stage: S, parts: string[]) => Promise<void>];

/** @param read an instruction of a line's verb and the rest of it */
export function batchSteps<S extends Staged>(
  read: (stage: S, verb: string, rest: string) => [kind: string, data: Asked['data']],
  same: (actual: unknown, expected: unknown, what: string) => void,
): Step<S>[] {
  const drafts = new WeakMap<S, Map<string, BatchText>>();
  const draft = (stage: S, no: string): BatchText => {
    const found = drafts.get(stage)?.get(no);
    if (found === undefined) throw new Error(`no batch ${no}`);
    return found;
  };
  const write = (stage: S, file: BatchText) =>
    void drafts.set(stage, (drafts.get(stage) ?? new Map<string, BatchText>()).set(file.no, file));
  const hold = (words: Words, expected: string, what: string) => {
    const told = typeof words === 'string' ? `refused ${words}` : [...words].map(([line, word]) => `${line} ${word}`).join(', ');
    same(told, expected, what);
  };
  return [
    [
      /^batch (\S+) (partial|atomic)(?: count (\d+))?(?: sum (\d+)\.(\d\d))?$/,
      async (stage, [no = '', mode, count, yuan, cents]) => {
        const header = { platform: stage.platform.id, no, mode: mode as BatchText['mode'], lines: [] };
        const sums = yuan === undefined ? {} : { sum: Number(yuan + cents) };
        write(stage, { ...header, ...(count === undefined ? {} : { count: Number(count) }), ...sums });
      },
    ],
    [
      /^line (\S+) (\d+) (\S+) (.+)$/,
      async (stage, [no = '', line, verb = '', rest = '']) => {
        const [kind, data] = read(stage, verb, rest);
        const file = draft(stage, no);
        write(stage, { ...file, lines: [...file.lines, { line: Number(line), kind, data }] });
      },
    ],
    [
      /^file (\S+)(?: refused (\S+))?$/,
      async (stage, [no = '', code]) =>
        same(await stage.bank.batches.send(draft(stage, no)), code ?? 'accepted', `the file ${no}`),
    ],
    [
      /^preview (\S+)(?::| (?=refused)) ?(.+)$/,
      async (stage, [no = '', expected = '']) => hold(await stage.bank.batches.preview(no), expected, `the preview of ${no}`),
    ],
    [
      /^commit (\S+)(?::| (?=refused)) ?(.+)$/,
      async (stage, [no = '', expected = '']) => hold(await stage.bank.batches.commit(no), expected, `what became of ${no}`),
    ],
    [
      /^rerun (\S+) after (\d+)(?::| (?=refused)) ?(.+)$/,
      async (stage, [no = '', after, expected = '']) =>
        hold(await stage.bank.batches.rerun(no, Number(after)), expected, `what became of ${no} again`),
    ],
  ];
}

interface ModelDoor {
  give(asked: Asked): Promise<{ id: string; result: string }>;
  standing(instruction: string): Promise<string>;
}

interface Sent {
  readonly file: BatchText;
  readonly legal: boolean;
  attempt: number;
  words: Map<number, string>;
  /** Instructions that waited when they were given. */
  readonly waiting: Map<number, string>;
}

/** The rules again, written from what they say: on a bank of the model, whose fork shows what would become of a batch. */
export class ModelBatches implements Batches {
  readonly #bank: ModelDoor;
  readonly #fork: () => Promise<ModelDoor>;
  readonly #files = new Map<string, Sent>();

  constructor(bank: ModelDoor, again: () => ModelDoor) {
    // Whatever is done to the bank is remembered, so that another can be brought to where it stands.
    const done: [name: string, args: unknown[]][] = [];
    type Any = Record<string, (...args: unknown[]) => Promise<unknown>>;
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(bank))) {
      const method = (bank as unknown as Any)[name];
      if (typeof method !== 'function' || ['constructor', 'look', 'check', 'standing'].includes(name)) continue;
      (bank as unknown as Any)[name] = (...args) => {
        done.push([name, args]);
        return method.apply(bank, args);
      };
    }
    this.#bank = bank;
    this.#fork = async () => {
      const other = again();
      for (const [name, args] of done) await (other as unknown as Any)[name]?.(...args);
      return other;
    };
  }

  async send(file: BatchText): Promise<string> {
    const before = this.#files.get(file.no);
    if (before !== undefined) {
      if (JSON.stringify(before.file) !== JSON.stringify(file)) return 'BATCH_NO_REUSED';
      return before.legal ? 'accepted' : faultOf(file);
    }
    const fault = faultOf(file);
    this.#files.set(file.no, { file, legal: fault === 'accepted', attempt: 0, words: new Map(), waiting: new Map() });
    return fault;
  }

  #of(no: string) {
    const found = this.#files.get(no);
    if (found === undefined) throw new Error(`${no} was not sent`);
    return found;
  }

  async preview(no: string): Promise<Words> {
    const of = this.#of(no);
    if (!of.legal) return 'BATCH_NOT_LEGAL';
    return this.#judge(of, this.#toRun(of));
  }

  async commit(no: string): Promise<Words> {
    const of = this.#of(no);
    if (!of.legal) return 'BATCH_NOT_LEGAL';
    if (of.attempt === 0) await this.#run(of);
    return this.#words(of);
  }

  async rerun(no: string, after: number): Promise<Words> {
    const of = this.#of(no);
    if (!of.legal) return 'BATCH_NOT_LEGAL';
    if (of.attempt === 0) return 'BATCH_NOT_COMMITTED';
    if (of.attempt === after + 1) return this.#words(of);
    if (of.attempt !== after) return 'BATCH_ATTEMPT_WRONG';
    if (this.#toRun(of).length === 0) return 'BATCH_NOTHING_REFUSED';
    await this.#run(of);
    return this.#words(of);
  }

  /** What waited may have come meanwhile. */
  async #words({ words, waiting }: Sent): Promise<Words> {
    for (const [line, id] of waiting) words.set(line, wordOf({ result: await this.#bank.standing(id) }));
    return words;
  }

  #toRun({ file, words }: Sent): BatchLine[] {
    const ended = (line: number) => ['posted', 'waits'].includes(words.get(line) ?? '');
    return file.lines.filter(({ line }) => !ended(line)).sort((a, b) => a.line - b.line);
  }

  async #run(of: Sent): Promise<void> {
    const lines = this.#toRun(of);
    of.attempt += 1;
    const words = of.file.mode === 'atomic' ? await this.#judge(of, lines, of.attempt) : new Map<number, string>();
    if ([...words.values()].every((word) => word === 'posted'))
      for (const line of lines) {
        const given = await this.#bank.give(this.#asked(of.file, line, of.attempt));
        words.set(line.line, wordOf(given));
        if (given.result === 'undecided') of.waiting.set(line.line, given.id);
      }
    for (const { line } of of.file.lines) of.words.set(line, words.get(line) ?? of.words.get(line) ?? '');
    of.words = new Map([...of.words].sort(([a], [b]) => a - b));
  }

  async #judge({ file, attempt }: Sent, lines: readonly BatchLine[], as = attempt + 1) {
    const fork = await this.#fork();
    const words = new Map<number, string>();
    for (const line of lines) words.set(line.line, wordOf(await fork.give(this.#asked(file, line, as))));
    if (file.mode === 'partial') return words;
    for (const [line, word] of words) if (word === 'waits') words.set(line, 'BATCH_LINE_WAITS');
    const all = [...words.values()].every((word) => word === 'posted');
    if (!all) for (const [line, word] of words) if (word === 'posted') words.set(line, 'not-executed');
    return words;
  }

  #asked({ platform, no }: BatchText, { line, kind, data }: BatchLine, attempt: number): Asked {
    return { platform, origin: 'P', requestNo: `${no}.${line}.${attempt}`, kind, data, answer: 'unasked' };
  }
}

const wordOf = ({ result }: { result: string }) => (result === 'undecided' ? 'waits' : result);

function faultOf({ lines, count, sum }: BatchText): string {
  const seen = new Set<number>();
  for (const { line, kind } of lines) {
    if (seen.has(line)) return 'BATCH_LINE_REPEATED';
    if (kind === 'gift') return 'BATCH_KIND_UNKNOWN';
    seen.add(line);
  }
  if (lines.length === 0) return 'SHAPE_INVALID';
  if (count !== undefined && count !== lines.length) return 'BATCH_COUNT_WRONG';
  const fen = (of: { amount?: { amount: number } | undefined }) => of.amount?.amount ?? 0;
  const worth = ({ data }: BatchLine) => fen(data) || (data.lines ?? []).reduce((total, line) => total + fen(line), 0);
  return sum !== undefined && sum !== lines.reduce((total, line) => total + worth(line), 0) ? 'BATCH_SUM_WRONG' : 'accepted';
}

/** The real thing; the model beside it takes what was posted, and must have thought of it what came. */
export class ServiceBatches implements Batches {
  readonly #world: World;
  readonly #model: Model;
  readonly #files = new Map<string, { id: Id; file: BatchText; told: Set<string> }>();

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#model = model;
  }

  async send(file: BatchText): Promise<string> {
    const { platform, no: batchNo, mode, count, sum, lines } = file;
    const total = sum === undefined ? undefined : { amount: sum, currency: 'CNY' };
    const text = JSON.stringify({ batchNo, mode, count, total, lines });
    try {
      const from = { platformId: asId(platform), actor: 'test' };
      const { batch } = await receiveFile(this.#world.rt, from, { text, mediaType: 'application/json' });
      if (!this.#files.has(batchNo)) this.#files.set(batchNo, { id: batch.id, file, told: new Set() });
      return batch.state === 'rejected' ? (batch.faults[0]?.code as string) : 'accepted';
    } catch (error) {
      return codeOf(error);
    }
  }

  #of(no: string) {
    const found = this.#files.get(no);
    if (found === undefined) throw new Error(`${no} was not sent`);
    return found;
  }

  async preview(no: string): Promise<Words> {
    const { id, file } = this.#of(no);
    try {
      const verdicts = await previewBatch(this.#world.rt, asId(file.platform), id);
      return new Map(verdicts.map(({ line, state, code }) => [line, code ?? (state === 'awaiting-funds' ? 'waits' : state)]));
    } catch (error) {
      return codeOf(error);
    }
  }

  commit(no: string): Promise<Words> {
    const { id, file } = this.#of(no);
    return this.#run(no, () => commitBatch(this.#world.rt, asId(file.platform), id));
  }

  rerun(no: string, after: number): Promise<Words> {
    const { id, file } = this.#of(no);
    return this.#run(no, () => rerunBatch(this.#world.rt, asId(file.platform), id, after));
  }

  /** Starts it twice, as two clicks do, and has two workers run it. */
  async #run(no: string, start: () => Promise<unknown>): Promise<Words> {
    const { id } = this.#of(no);
    const { rt } = this.#world;
    try {
      await Promise.all([start(), start()]);
      const work = (of: typeof rt) => runBatch({ rt: of, intake: createIntake({ ...of, bells: rt.bells }) }, id);
      await Promise.all([work(rt), work(this.#world.another())]);
      await work(rt);
    } catch (error) {
      return codeOf(error);
    }
    return this.#words(no);
  }

  async #words(no: string): Promise<Words> {
    const { id, file, told } = this.#of(no);
    const lines = await this.#world.db.read('lines', (tx) => listLines(tx, { id, after: 0 }, 10_000));
    const ids = lines.flatMap(({ instruction }) => (instruction === null ? [] : [instruction]));
    const outcomes = await outcomesOf(this.#world, ids);
    const words = new Map<number, string>();
    const batch = this.#model.begin();
    for (const { line, kind, state, instruction, code } of lines) {
      const came = instruction === null ? undefined : outcomes.get(instruction);
      words.set(line, came === 'undecided' ? 'waits' : (came ?? code ?? state));
      if (instruction === null || told.has(instruction)) continue;
      told.add(instruction);
      const data = file.lines.find((of) => of.line === line)?.data as Asked['data'];
      const predicted = this.#model.decide({
        ...{ platform: file.platform, origin: 'P', kind, data, id: instruction, answer: 'unasked' },
      });
      if (predicted !== came) throw new Error(`the model says ${predicted}, the service ${came}, to line ${line} of ${no}`);
    }
    batch.end();
    return words;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Refused) return error.refusal.code;
  throw error;
}
