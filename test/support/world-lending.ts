import { asId, type Id, type Instant, Refused } from '../../src/kernel/index.js';
import { recordWord } from '../../src/lending/confirm.js';
import { dueOf, dueProjects } from '../../src/lending/index.js';
import { registerProject as register } from '../../src/lending/register.js';
import type { Role } from '../../src/lending/rules.js';
import type { ModelProjectTerms } from './model-lending.js';
import type { World } from './world.js';

/** Projects by the service's own functions, with the bank's staff writing down what parties signed on paper. */
export async function registerProject(
  world: World,
  platform: Id,
  terms: ModelProjectTerms,
): Promise<{ result: string; id?: string }> {
  const { until, least, most, lendFee, interestFee, guarantor, ...rest } = terms;
  const of = {
    ...{ ...rest, borrower: asId(terms.borrower), guarantor: guarantor === undefined ? null : asId(guarantor), payee: null },
    ...{ lendFee: Number(lendFee), interestFee: Number(interestFee), lenderMin: least ?? null, lenderMax: most ?? null },
    ...{ raiseUntilMs: Date.parse(`${until}T00:00:00+08:00`) as Instant, mode: 'direct' as const, purpose: '经营周转' },
  };
  try {
    const { project } = await register(world.rt, platform, of);
    return { result: 'registered', id: project.id };
  } catch (error) {
    if (error instanceof Refused) return { result: error.refusal.code };
    throw error;
  }
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
