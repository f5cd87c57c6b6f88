/**
 * A bank in plain maps, written from the rules of the house and not from its code, so that the two can be held against each
 * other. It is slow and simple on purpose. Ids are bare digits, amounts minor units, times milliseconds; credit is positive.
 */

import type { Data, Given } from '../given.js';
import { adjustmentRules } from './adjustments.js';
import { found, No, OWN, refuseIf, Waits } from './books.js';
import { ClaimTrade, isForbiddenBy } from './claims.js';
import { Core, type Rules } from './core.js';
import { correctionRules } from './corrections.js';
import { courtRules } from './courts.js';
import { electronicRules } from './electronic.js';
import { Escrows } from './escrow.js';
import { Funds } from './funds.js';
import { escrowHands, fundHands, lendingHands } from './hands.js';
import type { Person, Wanted } from './law.js';
import { Lending } from './lending.js';
import type { ModelModes } from './lending-books.js';
import { orderPaymentRules } from './order-payments.js';
import { orderRefundRules } from './order-refunds.js';
import { payoutRules } from './payouts.js';
import { splitRules } from './splits.js';
import { subsidyRules } from './subsidies.js';
import { suspenseRules } from './suspense.js';
import { transferRules } from './transfers.js';
import { beginsSomething, WindDowns } from './winding-up.js';

export class Model extends Core {
  readonly escrows = new Escrows(escrowHands(this));
  readonly lending = new Lending(lendingHands(this));
  readonly funds: Funds;
  readonly windDowns = new WindDowns(this);
  readonly #claimTrade = new ClaimTrade(this.lending, lendingHands(this));
  readonly #rules: Rules = {
    ...orderPaymentRules(this),
    ...splitRules(this),
    ...subsidyRules(this),
    ...orderRefundRules(this),
    ...transferRules(this),
    ...courtRules(this),
    ...electronicRules(this),
    ...payoutRules(this),
    ...adjustmentRules(this),
    ...suspenseRules(this),
    ...correctionRules(this),
  };

  constructor(nextWorkingDay: (date: string) => string) {
    super(nextWorkingDay);
    this.funds = new Funds(fundHands(this), nextWorkingDay);
  }

  openPlatform(id: string, date: string, own: Readonly<Record<string, string>>, profile = 'marketplace'): void {
    this.platforms.set(id, { date, transferMax: 0n, feeMax: 0n, own, profile, agreed: false });
    for (const [type, account] of Object.entries(own)) this.openAccount(account, id, type, OWN.includes(type));
  }

  /** @param opened its accounts for what is set aside, where it has them */
  agreeModes(
    platform: string,
    modes: Omit<ModelModes, 'advanceAccount' | 'reserveAccount'>,
    opened: { advance: string | undefined; reserve: string | undefined },
  ): void {
    for (const [type, id] of Object.entries(opened))
      if (id !== undefined && !this.accounts.has(id)) this.openAccount(id, platform, type, false);
    this.lending.agree(platform, modes, { advanceAccount: opened.advance, reserveAccount: opened.reserve });
  }

  openCustomer(id: string, idExpires: string | undefined): void {
    this.law.customers.set(id, { stopped: false, idExpires, taskDue: undefined, documented: false });
  }

  /** @param customer his id if he becomes one now */
  register(platform: string, person: Person, customer: string): { result: string; customer?: string } {
    const code = this.law.unfit(person, this.now);
    if (code !== undefined) return { result: code };
    const known = this.law.persons.get(person.name);
    if (known === undefined) this.openCustomer(customer, person.idExpires);
    this.law.persons.set(person.name, known ?? { customer, mobile: person.mobile });
    this.law.users.add(`${platform}/${person.name}`);
    return { result: 'verified', customer: known?.customer ?? customer };
  }

  /** @param account its id if it is opened */
  openOn(platform: string, wanted: Wanted, account: string): { result: string; account?: string } {
    const { profile } = this.platform(platform);
    const code = this.law.unbindable({ id: platform, profile }, wanted, this.now);
    if (code !== undefined) return { result: code };
    const customer = this.law.persons.get(wanted.person)?.customer ?? '';
    this.openElectronic(account, { platform, customer, class: wanted.class, faceToFace: false });
    return { result: 'opened', account };
  }

  openElectronic(id: string, of: { platform: string; customer: string; class: 2 | 3; faceToFace: boolean }): void {
    this.openAccount(id, of.platform, `class-${of.class}`, true);
    const today = new Date(this.now + 8 * 3_600_000).toISOString().slice(0, 10);
    this.law.accounts.set(id, {
      ...of,
      state: 'active',
      idleSince: this.now,
      funded: false,
      moved: [],
      interestFrom: today,
      dayEnds: new Map(),
    });
  }

  openDate(platform: string, date: string): void {
    for (const [id, { platform: of, dayEnds }] of this.law.accounts) {
      if (of === platform) dayEnds.set(this.platform(platform).date, this.account(id).balance);
    }
    this.platform(platform).date = date;
    for (const account of this.accounts.values()) {
      if (account.platform !== platform) continue;
      for (const lots of [account.uncleared, account.owed]) for (const due of lots.keys()) if (due <= date) lots.delete(due);
    }
  }

  /** What is decided together begins; answers `end`, at which refunds that wait are tried, as they are after a batch. */
  begin(): { readonly end: () => void } {
    this.batch += 1;
    this.credited.clear();
    return { end: () => this.#tryWaiting() };
  }

  /** 'posted', or the code of the refusal, which changes nothing. */
  decide(given: Given): string {
    const result = this.#try(given);
    const { date } = this.platform(given.platform);
    this.past.set(given.id, { ...given, result, date, at: this.now, batch: this.batch, corrected: false });
    return result;
  }

  /** Refunds that wait are tried when an account that they look at is credited, oldest first, until nothing helps any more. */
  #tryWaiting(): void {
    while (this.credited.size > 0) {
      const credited = this.credited;
      this.credited = new Set();
      const woken = [...this.cover.waiting.values()].filter((one) => one.looksAt.some((id) => credited.has(id)));
      for (const one of woken.sort((a, b) => (a.id < b.id ? -1 : 1))) this.decide(this.past.get(one.id) as Given);
    }
  }

  cancel(id: string): void {
    const past = found(this.past.get(id), `nothing was given as ${id}`);
    this.past.set(id, { ...past, result: 'REFUND_CANCELLED' });
    this.#endWaiting(id);
    this.#tryWaiting();
  }

  setCeiling(platform: string, ceiling: bigint): void {
    this.cover.ceilings.set(platform, ceiling);
    for (const one of this.cover.waiting.values()) if (one.platform === platform) this.credited.add(one.order);
    this.#tryWaiting();
  }

  #endWaiting(id: string): void {
    for (const account of this.cover.waiting.get(id)?.looksAt ?? []) this.credited.add(account);
    this.cover.waiting.delete(id);
  }

  #try(given: Given): string {
    this.given = given;
    this.reviews.deviating.delete(given.id);
    this.owner = given.origin === 'O' ? 'counter' : 'out';
    this.mandateUse = undefined;
    this.payoutAtHand = undefined;
    try {
      const { profile, ending } = this.platform(given.platform);
      refuseIf(isForbiddenBy(profile, given), 'PROFILE_FORBIDS');
      refuseIf(ending === true && beginsSomething(given), 'WINDING_UP');
      refuseIf(this.escrows.binds(given), 'ESCROW_BOUND');
      const rules = [
        this.#rules,
        this.escrows.rules,
        this.lending.rules,
        this.lending.loans.rules,
        this.#claimTrade.rules,
        this.funds.rules,
      ];
      const rule = rules.map((each) => each[given.kind]).find((each) => each !== undefined);
      found(rule, `no kind ${given.kind}`)(given, given.data as Data, this.platform(given.platform));
      this.#countUse();
      this.#endWaiting(given.id);
      return 'posted';
    } catch (no) {
      this.accounts.delete(given.id); // it is not posted: what it was about to open is not there
      if (no instanceof Waits) return 'undecided';
      if (no instanceof No) {
        this.#endWaiting(given.id);
        return no.code;
      }
      throw no;
    }
  }

  #countUse(): void {
    const use = this.mandateUse;
    if (use !== undefined) this.law.mandates.get(use.mandate)?.uses.push({ at: this.now, amount: use.amount });
  }

  /** People, or the deadline, have ended a review: its money is free, and it is decided anew or refused. */
  reviewEnded(id: string): void {
    const review = found(this.reviews.open.get(id), `${id} is in review`);
    const past = found(this.past.get(id), `nothing was given as ${id}`);
    for (const { from, amount } of review.held) this.account(from).held -= amount;
    if (review.state === 'approved' || review.state === 'passed') this.decide(past);
    else this.past.set(id, { ...past, result: review.state === 'rejected' ? 'REVIEW_REJECTED' : 'REVIEW_LAPSED' });
  }
}
