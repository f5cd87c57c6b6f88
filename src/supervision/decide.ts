import { type Id, naturalDate, Refused, refuse } from '../kernel/index.js';
import { loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { endReport, findReport, type LargeValueReport, proposeExemption } from './large-value-store.js';
import { reportingOf } from './rules.js';
import { LARGE_VALUE_TRANSITIONS, SUSPICION_TRANSITIONS, type SuspicionState } from './states.js';
import { endReview, findCase, moveCase, proposeEnd, type SuspicionCase } from './suspicion-store.js';

type Parts = Pick<Runtime, 'clock' | 'calendar' | 'vault'>;

function required<T>(found: T | undefined): T {
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  return found;
}

function stateRefused(state: string): Refused {
  return new Refused(refuse('REPORT_STATE', undefined, { state }));
}

/** The first of two people wants a candidate exempted. @throws Refused NOT_FOUND, REPORT_STATE */
export async function proposeExempting(tx: Tx, { clock, vault }: Parts, id: Id, by: Id, note: string): Promise<LargeValueReport> {
  const report = required(await findReport(tx, id));
  if (!(await proposeExemption(tx, id, by, vault.seal(note), clock.now()))) throw stateRefused(report.state);
  return required(await findReport(tx, id));
}

/** The second one agrees. @throws Refused NOT_FOUND, REPORT_STATE (also where nobody proposed it), SAME_OPERATOR */
export async function exempt(tx: Tx, { clock }: Parts, id: Id, by: Id): Promise<LargeValueReport> {
  const report = required(await findReport(tx, id));
  if (!LARGE_VALUE_TRANSITIONS[report.state].includes('exempted') || report.proposedBy === null) throw stateRefused(report.state);
  if (report.proposedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  if (!(await endReport(tx, id, { state: 'exempted', by, receiptNo: null, nowMs: clock.now() })))
    throw stateRefused(report.state);
  return required(await findReport(tx, id));
}

/** The monitoring centre has it. The same receipt again changes nothing. @throws Refused NOT_FOUND, REPORT_STATE */
export async function noteReported(tx: Tx, { clock }: Parts, id: Id, by: Id, receiptNo: string): Promise<LargeValueReport> {
  const report = required(await findReport(tx, id));
  if (report.state === 'reported' && report.receiptNo === receiptNo) return report;
  if (!(await endReport(tx, id, { state: 'reported', by, receiptNo, nowMs: clock.now() }))) throw stateRefused(report.state);
  return required(await findReport(tx, id));
}

/** Somebody begins to look at a case. @throws Refused NOT_FOUND, REPORT_STATE */
export async function reviewCase(tx: Tx, id: Id): Promise<SuspicionCase> {
  const found = required(await findCase(tx, id));
  if (!(await moveCase(tx, id, 'raised', { state: 'under-review' }))) throw stateRefused(found.state);
  return required(await findCase(tx, id));
}

/** The first of two people says what a case is. @throws Refused NOT_FOUND, REPORT_STATE */
export async function proposeVerdict(
  tx: Tx,
  { clock, vault }: Parts,
  id: Id,
  { to, by, note }: { to: SuspicionState; by: Id; note: string },
): Promise<SuspicionCase> {
  const found = required(await findCase(tx, id));
  const of = { to, by, noteSealed: vault.seal(note), nowMs: clock.now() };
  if (!SUSPICION_TRANSITIONS[found.state].includes(to) || !(await proposeEnd(tx, id, of))) throw stateRefused(found.state);
  return required(await findCase(tx, id));
}

/**
 * The second one agrees; what is confirmed has a deadline from this day on.
 * @throws Refused NOT_FOUND, REPORT_STATE (also where nothing is proposed, or something else meanwhile), SAME_OPERATOR
 */
export async function agreeToVerdict(
  tx: Tx,
  { clock, calendar, vault }: Parts,
  id: Id,
  { to, by, note }: { to: SuspicionState; by: Id; note: string },
): Promise<SuspicionCase> {
  const found = required(await findCase(tx, id));
  if (found.state !== 'under-review' || found.proposed !== to) throw stateRefused(found.state);
  if (found.proposedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  const today = naturalDate(clock.now());
  const dates = to === 'confirmed' ? reportingOf(today, await loadParameters(tx), calendar) : { alarmOn: null, dueOn: null };
  if (!(await endReview(tx, found, { operator: by, noteSealed: vault.seal(note), nowMs: clock.now() }, dates)))
    throw stateRefused(found.state);
  return required(await findCase(tx, id));
}

/** The monitoring centre has it. The same receipt again changes nothing. @throws Refused NOT_FOUND, REPORT_STATE */
export async function noteCaseReported(tx: Tx, id: Id, receiptNo: string): Promise<SuspicionCase> {
  const found = required(await findCase(tx, id));
  if (found.state === 'reported' && found.receiptNo === receiptNo) return found;
  if (!(await moveCase(tx, id, 'confirmed', { state: 'reported', receiptNo }))) throw stateRefused(found.state);
  return required(await findCase(tx, id));
}
