import { TEMPLATES } from '../../src/escrow/index.js';
import type { Condition, Moment, Template, TemplateLine } from '../../src/escrow/template.js';
import { documentOf, table } from './markdown.js';

/** Every template as a story and the tables of what it says; made from the data that deals are made of. */
export function escrowPage(): string {
  return documentOf(
    'Escrow 托管交易',
    'A platform opens a *deal* (`POST /v1/escrows`) of one of the templates below. Its money stands on orders of the deal (accounts of the type ' +
      '`escrow`), and leaves them by the deal alone: every other kind of instruction is refused there with `ESCROW_BOUND`. The platform may ask for a ' +
      'release, and the bank reads its own record of what was confirmed; it never takes the platform’s word for a condition.',
    '## How a deal goes 流程',
    [
      '1. **Open.** Parties are bound to accounts and users, amounts and dates are filled in, and the whole is frozen. Nothing moves. Where the ' +
        'platform’s orders need agreements, a sub-merchant who is to receive has one in force (`AGREEMENT_MISSING`, `AGREEMENT_ENDED`). The ' +
        'platform’s commission account takes only a role that gets a named amount.',
      '2. **Agree** (`accept`), where the template wants it. A company agrees on paper, which the bank’s staff records.',
      '3. **Pay in**: `escrow-payment` from outside, `escrow-funding` from an electronic account by its owner’s own act, or from the virtual ' +
        'sub-account of a company that has agreed. What comes in stands for stages; more than they are for is refused, and so is what comes late.',
      '4. **Confirm.** A party says yes on a page that the bank hosts (`POST /v1/escrows/{escrow}/confirmations`), or on paper, of which one person of ' +
        'the bank records the words of one role only (`SAME_OPERATOR`). The word of somebody ' +
        'who is not named is refused (`ESCROW_WRONG_PARTY`), the same word twice gets the same answer. Who may object says so with `<stage>:objection`.',
      '5. **Review.** What is left to the bank two of its people decide: that a condition is met, or who gets what of a stage.',
      '6. **End of a stage.** `escrow-release` where it was met, else `escrow-failure`; the sweep gives both by itself when their time has come. What ' +
        'falls to payers is sent by `escrow-refund`, order by order, to exactly who paid it.',
      '',
      'A stage ends as what was first: *met*, *failed* (its last moment passed), *unpaid* (not all of it came in by its date: then all of it goes back), ' +
        '*cancelled* (the one before it failed), *exited*, or *decided* by the bank. That depends on when something was so and not on when the books are ' +
        'told ([ADR 21](adr/0021-escrow-by-moments.md)). A dispute about an order of a deal holds exactly its amount: what would need it waits ' +
        '(`ESCROW_DISPUTED`) and is tried again every ten minutes. Until then the bank can divide by its review what receivers were to get, even after its ' +
        'moment; with that the dispute ends as rejected, never as upheld (`ESCROW_BOUND`).',
      '',
      'Rates are rounded down, a fixed amount takes no more than is left, and one line takes the rest, so that the parts are always the whole. The rates ' +
        'and days of the templates are examples of what parties agree; no law is quoted by them.',
    ].join('\n'),
    ...[...TEMPLATES.values()].flatMap(templatePart),
  );
}

function templatePart(of: Template): string[] {
  const roles = of.roles.map(({ role, en, zh, does, accepts }) => [
    `\`${role}\``,
    `${en} ${zh}`,
    [
      ...does.map((each) => ({ pays: 'pays', many: 'any number', receives: 'receives' })[each]),
      ...(accepts ? ['agrees first'] : []),
    ].join(', ') || 'confirms',
  ]);
  const named = [
    ...of.amounts.map(({ name, en, zh }) => [`\`${name}\``, 'amount', `${en} ${zh}`]),
    ...of.dates.map(({ name, en, zh }) => [`\`${name}\``, 'date', `${en} ${zh}`]),
    ...of.counts.map(({ name, en, zh, most }) => [`\`${name}\``, `count, at most ${most}`, `${en} ${zh}`]),
  ];
  return [
    `## ${of.title.en} ${of.title.zh} \`${of.name}\``,
    `${of.story.en}\n\n${of.story.zh}`,
    table(['role', 'who', 'what he does'], roles),
    table(['name', 'what', 'meaning'], named),
    table(['stage', 'for', 'paid in before', 'met when', 'too late', 'then', 'otherwise'], of.stages.map(stageRow)),
    ...(of.exits.length === 0 ? [] : [table(['exit', 'taken when', 'what is open goes'], of.exits.map(exitRow))]),
  ];
}

function stageRow(stage: Template['stages'][number]): string[] {
  const { key, en, zh, repeat, amount, after, objects, otherwise, by } = stage;
  const times = repeat === undefined ? '' : `, each of \`${repeat}\``;
  return [
    `\`${key}\` ${en} ${zh}${times}${after === undefined ? '' : `, after \`${after}\``}`,
    `${partWords(amount.part)} of \`${amount.of}\`${amount.atLeast ? ', or more' : ''}`,
    momentWords(stage.fundBy),
    conditionWords(stage.when) +
      (objects.length === 0
        ? ''
        : `; unless ${objects.map((role) => `\`${role}\``).join(' or ')} objects, then the bank decides`),
    by === undefined ? 'never' : momentWords(by),
    linesWords(stage.pay),
    otherwise === 'review' ? 'the bank decides' : linesWords(otherwise),
  ];
}

function exitRow({ key, en, zh, when, before, rows }: Template['exits'][number]): string[] {
  const words = rows.map(({ days, pay }) =>
    before === undefined
      ? linesWords(pay)
      : `${days <= -3650 ? 'later' : `at least ${days} days before \`${before}\``}: ${linesWords(pay)}`,
  );
  return [`\`${key}\` ${en} ${zh}`, conditionWords(when), words.join('<br>')];
}

function partWords(part: Template['stages'][number]['amount']['part']): string {
  if (typeof part === 'object') return `${part.percent / 100} %`;
  return { whole: 'all', rest: 'the rest', equal: 'an equal part' }[part];
}

function momentWords({ date, days = 0, step }: Moment): string {
  const later = step === undefined ? '' : ', a month later each time';
  return `\`${date}\`${days === 0 ? '' : ` and ${days} days`}${later}`;
}

function conditionWords(of: Condition): string {
  if ('date' in of) return `from ${momentWords(of)} on`;
  if ('confirmed' in of) {
    const roles = of.confirmed.map((role) => `\`${role}\``);
    const quorum = of.quorum ?? roles.length;
    if (roles.length === 1) return `${roles[0]} confirms`;
    return quorum === roles.length ? `${roles.join(' and ')} confirm` : `${quorum} of ${roles.join(', ')} confirm`;
  }
  if ('review' in of) return 'two people of the bank find it so';
  if ('since' in of) return `${of.days} days after ${of.since === 'open' ? 'it opened' : conditionWords(of.since)}`;
  const [all, word] = 'all' in of ? [of.all, ' and '] : [of.any, ' or '];
  return all.map((each) => ('all' in each || 'any' in each ? `(${conditionWords(each)})` : conditionWords(each))).join(word);
}

function linesWords(lines: readonly TemplateLine[]): string {
  return lines
    .map(({ to, take }) => {
      const who = to === 'payers' ? 'back to whoever paid' : `to \`${to}\``;
      if (take === 'rest') return lines.length === 1 ? `all ${who}` : `the rest ${who}`;
      return 'percent' in take ? `${take.percent / 100} % ${who}` : `\`${take.fixed}\` ${who}`;
    })
    .join(', ');
}
