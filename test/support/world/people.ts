import { customerLock, verifyOpenings } from '../../../src/accounts/index.js';
import { askOpening } from '../../../src/accounts/opening/ask.js';
import { findOpening } from '../../../src/accounts/opening/store.js';
import { type Channels, openChannels } from '../../../src/channels/index.js';
import { type RunningBank, startBank } from '../../../src/channels/simulator/index.js';
import { type Id, luhnDigit, Refused, residentIdCheck } from '../../../src/kernel/index.js';
import { askOthers } from '../../../src/parties/index.js';
import { findUser } from '../../../src/parties/users/records.js';
import { isRegistration, registerUsers } from '../../../src/parties/users/register.js';
import type { Person, Wanted } from '../model/law.js';
import type { World } from './world.js';

const BANK = '102100099996';
let cards = 0;

interface Known {
  readonly person: Person;
  readonly users: Map<Id, Id>;
  readonly accounts: object[];
}

/** Those outside who know people and their cards, and the workers that ask them. */
export class People {
  readonly #world: World;
  readonly #bank: RunningBank;
  readonly #channels: Channels;
  readonly #known = new Map<string, Known>();
  #numbers = 0;

  private constructor(world: World, bank: RunningBank, channels: Channels) {
    this.#world = world;
    this.#bank = bank;
    this.#channels = channels;
  }

  static async meet(world: World): Promise<People> {
    const bank = await startBank({ port: 0, seed: 1, wallMs: () => world.clock.wall() });
    return new People(world, bank, openChannels({ bankUrl: bank.url }));
  }

  async leave(): Promise<void> {
    await this.#channels.close();
    await this.#bank.stop();
  }

  async register(platform: Id, person: Person): Promise<{ result: string; customer?: string }> {
    const { rt, db } = this.#world;
    // Who was refused may come again with other particulars.
    const known: Known = { users: new Map(), accounts: [], ...this.#known.get(person.name), person };
    this.#known.set(person.name, known);
    await this.#tell(known);
    const { name, idNo, mobile } = particulars(person);
    const identity = { kind: 'person' as const, name, idType: 'resident-id' as const, idNo, mobile };
    const party = { ...identity, idExpires: (person.idExpires ?? null) as never };
    this.#numbers += 1;
    const [result] = await registerUsers(rt, platform, [{ userNo: `U-${this.#numbers}`, party }]);
    if (result === undefined || !isRegistration(result)) return { result: result?.code ?? 'nothing' };
    await askOthers(rt, this.#channels.verification, customerLock(rt));
    const user = await db.read('user', (tx) => findUser(tx, platform, result.user.id));
    if (user?.state !== 'verified') return { result: user?.refusal?.code ?? user?.state ?? 'nothing' };
    known.users.set(platform, user.id);
    return { result: 'verified', customer: user.customerId as string };
  }

  async open(
    platform: Id,
    { person: name, class: of, card: kind, mobile }: Wanted,
  ): Promise<{ result: string; account?: string }> {
    const { rt, db, shardId } = this.#world;
    const known = this.#known.get(name);
    const user = known?.users.get(platform);
    if (known === undefined || user === undefined) return { result: 'NOT_FOUND' };
    cards += 1;
    const digits = `622202${String(cards).padStart(12, '0')}`;
    const account = digits + luhnDigit(digits);
    known.accounts.push({ account, bankCode: BANK, ...STANDINGS[kind] });
    await this.#tell(known);
    this.#numbers += 1;
    const card = { account, bankCode: BANK, mobile: mobile ?? known.person.mobile };
    try {
      const { opening } = await askOpening(rt, platform, { openingNo: `O-${this.#numbers}`, user, class: of, card });
      await verifyOpenings(rt, this.#channels.verification, shardId);
      const decided = await db.read('opening', (tx) => findOpening(tx, opening.id));
      if (decided?.accountId) return { result: 'opened', account: decided.accountId };
      return { result: decided?.refusal?.code ?? 'pending' };
    } catch (error) {
      if (error instanceof Refused) return { result: error.refusal.code };
      throw error;
    }
  }

  async #tell({ person, accounts }: Known): Promise<void> {
    const { name, idNo, mobile } = particulars(person);
    const truth = { issued: person.truth !== 'unknown', name: person.truth === 'another' ? '王五' : name };
    const people = [{ idType: 'resident-id', idNo, mobile, accounts, ...truth }];
    const response = await fetch(`${this.#bank.url}/sandbox/people`, { method: 'PUT', body: JSON.stringify({ people }) });
    if (!response.ok) throw new Error(`the simulated bank: ${response.status} ${await response.text()}`);
  }
}

const STANDINGS: Readonly<Record<string, object>> = {
  'class-1': { class: '1' },
  'class-2': { class: '2' },
  'class-3': { class: '3' },
  credit: { class: 'credit' },
  payment: { class: 'payment' },
  frozen: { standing: 'frozen' },
  missing: { standing: 'none' },
};

/** A name of Han characters and a number for each name of a scenario, the same every time. */
function particulars({ name, born, mobile }: Person): { name: string; idNo: string; mobile: string } {
  const seed = [...name].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 900, 7);
  const first = `110105${born.replaceAll('-', '')}${100 + seed}`;
  return {
    name: `李${'甲乙丙丁戊己庚辛壬癸'[seed % 10]}${'一二三四五六七八九'[seed % 9]}`,
    idNo: first + residentIdCheck(first),
    mobile,
  };
}
