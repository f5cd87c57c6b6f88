import { asId, type Id, type Instant, Refused } from '../../../src/kernel/index.js';
import { recordWord } from '../../../src/lending/confirm.js';
import { dueOf, dueProjects, lendingTermsOf } from '../../../src/lending/index.js';
import { registerProject as register } from '../../../src/lending/register.js';
import type { Role } from '../../../src/lending/rules.js';
import { approveLendingTerms, proposeLendingTerms } from '../../../src/lending/terms/terms.js';
import type { ModelProjectTerms } from '../model/lending-books.js';
import type { NewModes } from '../verbs/lending.js';
import type { World } from './world.js';

/** Projects by the service's own functions, with the bank's staff writing down what parties signed on paper. */
export async function registerProject(
  world: World,
  platform: Id,
  terms: ModelProjectTerms,
): Promise<{ result: string; id?: string }> {
  const { until, least, most, lendFee, interestFee, guarantor, payee, mode = 'direct', ...rest } = terms;
  const of = {
    ...{ ...rest, borrower: asId(terms.borrower), guarantor: guarantor === undefined ? null : asId(guarantor) },
    payee: payee === undefined ? null : asId(payee),
    ...{ lendFee: Number(lendFee), interestFee: Number(interestFee), lenderMin: least ?? null, lenderMax: most ?? null },
    ...{ raiseUntilMs: Date.parse(`${until}T00:00:00+08:00`) as Instant, mode, purpose: '经营周转' },
  };
  try {
    const { project } = await register(world.rt, platform, of);
    return { result: 'registered', id: project.id };
  } catch (error) {
    if (error instanceof Refused) return { result: error.refusal.code };
    throw error;
  }
}

/** One person proposes how the projects of a platform may be funded, and another approves. */
export async function agreeModes({ db, rt }: World, platformId: Id, { advance, entrusted, reserve }: NewModes) {
  const allowed = { advance: advance !== undefined, advanceCeiling: advance ?? 0n, entrusted, reserve };
  return db.withTx('lending terms', async (tx) => {
    const { id } = await proposeLendingTerms(tx, rt, { ...allowed, platformId, reason: '业务需要', by: rt.newId() });
    await approveLendingTerms(tx, rt, { platformId, terms: id }, { by: rt.newId(), note: null });
    const { advanceAccountId, reserveAccountId } = await lendingTermsOf(tx, platformId);
    return { advance: advanceAccountId ?? undefined, reserve: reserveAccountId ?? undefined };
  });
}

/** Who of the bank bears a name: always the same. */
const staff = new Map<string, Id>();

export async function signProject(world: World, project: Id, role: string, by: string): Promise<string> {
  const operator = staff.get(by) ?? world.rt.newId();
  staff.set(by, operator);
  const of = { project, role: role as Role, voucher: 'C-1', by: operator };
  try {
    return (await world.db.withTx('sign project', (tx) => recordWord(tx, world.rt, of))).state;
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
}

/** What the sweep would instruct now for projects of these platforms, in the order they were registered. */
export async function projectsOver({ db, clock }: World, platforms: readonly Id[]): Promise<ReturnType<typeof dueOf>[]> {
  const found = await db.read('projects due', (tx) => dueProjects(tx, clock.now(), 100));
  const mine = found.filter(({ platformId }) => platforms.includes(platformId)).sort((a, b) => (a.id < b.id ? -1 : 1));
  return mine.map(dueOf);
}
