import { z } from 'zod';

/**
 * A template of a deal is data: who takes part, in which stages the money is let go, what must be true for that, and what becomes of it
 * otherwise. A deal freezes its template in, so that a later version changes no deal that runs.
 */
const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'must be a name like title-transfer' });
const words = z.strictObject({ en: z.string().min(1).max(200), zh: z.string().min(1).max(200) });

/** What has to be true. Every one has one moment from which on it is, so that who looks late sees the same. */
export type Condition =
  | { readonly date: string; readonly days?: number | undefined; readonly step?: 'month' | undefined }
  | { readonly since: 'open' | Condition; readonly days: number }
  | { readonly confirmed: readonly string[]; readonly quorum?: number | undefined }
  | { readonly review: true }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] };

const moment = z.strictObject({
  /** A date of the deal, at its beginning. */
  date: name,
  days: z.int().min(-3650).max(3650).optional(),
  /** In a repeated stage: so many months later as stages came before. */
  step: z.literal('month').optional(),
});
const condition: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    moment,
    z.strictObject({ since: z.union([z.literal('open'), condition]), days: z.int().min(0).max(3650) }),
    z.strictObject({ confirmed: z.array(name).min(1).max(10), quorum: z.int().min(1).max(10).optional() }),
    z.strictObject({ review: z.literal(true) }),
    z.strictObject({ all: z.array(condition).min(1).max(10) }),
    z.strictObject({ any: z.array(condition).min(1).max(10) }),
  ]),
);

/** A part of a stage's money: in hundredths of a percent of it, an amount of the deal as far as it goes, or what the others leave. */
const line = z.strictObject({
  /** A role, or `payers`: back to whoever paid. */
  to: name,
  take: z.union([z.strictObject({ percent: z.int().min(0).max(10_000) }), z.strictObject({ fixed: name }), z.literal('rest')]),
});
const lines = z
  .array(line)
  .min(1)
  .max(20)
  .refine((all) => all.filter(({ take }) => take === 'rest').length === 1, { error: 'exactly one line takes the rest' })
  .refine(
    (all) => all.reduce((sum, { take }) => sum + (typeof take === 'object' && 'percent' in take ? take.percent : 0), 0) <= 10_000,
    { error: 'the rates are more than the whole' },
  );

const role = z.strictObject({
  role: name,
  ...words.shape,
  /** pays: brings the money, alone; many: any number of them; receives: has an account of the platform. */
  does: z.array(z.enum(['pays', 'many', 'receives'])).max(3),
  /** Nothing is paid in before he has agreed to the deal. */
  accepts: z.boolean(),
});

const stage = z.strictObject({
  key: name,
  ...words.shape,
  /** So often as a count of the deal says. */
  repeat: name.optional(),
  /** Of an amount of the deal: each time all of it, a rate, what the other stages of that amount leave, or equal parts. */
  amount: z.strictObject({
    of: name,
    part: z.union([
      z.literal('whole'),
      z.literal('rest'),
      z.literal('equal'),
      z.strictObject({ percent: z.int().min(1).max(10_000) }),
    ]),
    /** More than that may come in. */
    atLeast: z.boolean().default(false),
  }),
  /** What has not come in by then is not taken any more, and what came goes back. */
  fundBy: moment,
  /** It opens when that stage was met. */
  after: name.optional(),
  when: condition,
  /** Not met before that: `otherwise`. */
  by: moment.optional(),
  pay: lines,
  otherwise: z.union([lines, z.literal('review')]),
  /** When it fails, those behind it go on all the same; else they fail with it, and what was paid for them goes back. */
  failsAlone: z.boolean().default(false),
  /** Who may object while it is open; the bank decides then. */
  objects: z.array(name).max(10).default([]),
});

/** What ends all stages that are still open. */
const exit = z.strictObject({
  key: name,
  ...words.shape,
  when: condition,
  /** By how many days before a date of the deal it came: the first row that it came early enough for. One row: always. */
  before: name.optional(),
  rows: z
    .array(z.strictObject({ days: z.int().min(-3650).max(3650), pay: lines }))
    .min(1)
    .max(20),
});

export const templateSchema = z
  .strictObject({
    name,
    version: z.int().min(1),
    title: words,
    story: words.extend({ en: z.string().max(2_000), zh: z.string().max(2_000) }),
    roles: z.array(role).min(1).max(10),
    amounts: z.array(z.strictObject({ name, ...words.shape })).max(10),
    dates: z.array(z.strictObject({ name, ...words.shape })).max(10),
    counts: z.array(z.strictObject({ name, ...words.shape, most: z.int().min(1).max(100) })).max(5),
    stages: z.array(stage).min(1).max(20),
    exits: z.array(exit).max(10),
  })
  .superRefine((of, context) => {
    for (const message of faultsOf(of)) context.addIssue({ code: 'custom', message });
  });

export type Template = z.output<typeof templateSchema>;
export type TemplateStage = Template['stages'][number];
export type TemplateLine = TemplateStage['pay'][number];
export type Moment = z.output<typeof moment>;

/** A template with all names resolved. @throws ZodError */
export function parseTemplate(data: unknown): Template {
  return templateSchema.parse(data);
}

type Draft = z.output<typeof templateSchema>;

/** Names that nobody declared, and stages that could never be met. */
function faultsOf(of: Draft): string[] {
  const roles = new Set(of.roles.map(({ role: key }) => key));
  const receivers = new Set(of.roles.filter(({ does }) => does.includes('receives')).map(({ role: key }) => key));
  const amounts = new Set(of.amounts.map(({ name: key }) => key));
  const dates = new Set(of.dates.map(({ name: key }) => key));
  const counts = new Set(of.counts.map(({ name: key }) => key));
  const keys = [...of.stages, ...of.exits].map(({ key }) => key);
  const faults: string[] = [];
  const known = (set: ReadonlySet<string>, key: string, what: string) => {
    if (!set.has(key)) faults.push(`no ${what} ${key}`);
  };
  const checkLines = (all: readonly TemplateLine[]) => {
    for (const { to, take } of all) {
      if (to !== 'payers') known(receivers, to, 'receiver');
      if (typeof take === 'object' && 'fixed' in take) known(amounts, take.fixed, 'amount');
    }
  };
  const checkCondition = (when: Condition): void => {
    if ('date' in when) known(dates, when.date, 'date');
    if ('since' in when && when.since !== 'open') checkCondition(when.since);
    if ('all' in when) when.all.forEach(checkCondition);
    if ('any' in when) when.any.forEach(checkCondition);
    if (!('confirmed' in when)) return;
    for (const each of when.confirmed) known(roles, each, 'role');
    if ((when.quorum ?? 1) > new Set(when.confirmed).size) faults.push('the quorum is more than there are');
  };
  if (new Set(keys).size < keys.length) faults.push('a key stands twice');
  if (of.roles.filter(({ does }) => does.includes('pays')).length !== 1) faults.push('one role pays');
  if (roles.has('payers') || keys.includes('accept')) faults.push('a name that is taken');
  for (const [place, each] of of.stages.entries()) {
    known(amounts, each.amount.of, 'amount');
    if (each.repeat !== undefined) known(counts, each.repeat, 'count');
    if (each.amount.part === 'equal' && each.repeat === undefined) faults.push('equal parts of one');
    known(dates, each.fundBy.date, 'date');
    if (each.by !== undefined) known(dates, each.by.date, 'date');
    const before = of.stages.slice(0, place).find(({ key }) => key === each.after);
    if (each.after !== undefined && (before === undefined || before.repeat !== undefined))
      faults.push(`no stage ${each.after} before`);
    for (const who of each.objects) known(roles, who, 'role');
    checkCondition(each.when);
    checkLines(each.pay);
    if (each.otherwise !== 'review') checkLines(each.otherwise);
  }
  for (const each of of.exits) {
    checkCondition(each.when);
    if (each.before !== undefined) known(dates, each.before, 'date');
    if (each.before === undefined && each.rows.length > 1) faults.push('rows need a date that they come before');
    for (const { pay } of each.rows) checkLines(pay);
  }
  return faults;
}
