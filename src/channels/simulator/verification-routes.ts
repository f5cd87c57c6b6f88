import { z } from 'zod';
import {
  AccountNo,
  ElementsMessage,
  IdentityMessage,
  Mobile,
  SmsMessage,
  TrialInflowMessage,
  TrialPaymentMessage,
} from '../verification/wire.js';
import { type BankRoute, orConflict, shape } from './call.js';
import { PersonEntry } from './people.js';

const PeopleMessage = z.strictObject({ people: z.array(PersonEntry).max(10_000) });
const SmsQuery = z.strictObject({ mobile: Mobile.optional() });
const TrialsQuery = z.strictObject({ account: AccountNo.optional() });

/** Who somebody is, trial payments and short messages; and what a sandbox fills and reads of them. */
export const VERIFICATION_ROUTES: readonly BankRoute[] = [
  {
    method: 'POST',
    path: /^\/verification\/identity$/,
    parse({ bank, body }) {
      const question = shape(IdentityMessage, body);
      const point = { scope: 'verification', on: 'identity', keys: [question.idNo] } as const;
      return { point, run: () => bank.people.checkIdentity(question) };
    },
  },
  {
    method: 'POST',
    path: /^\/verification\/elements$/,
    parse({ bank, body }) {
      const question = shape(ElementsMessage, body);
      const point = { scope: 'verification', on: 'elements', keys: [question.account, question.idNo] } as const;
      return { point, run: () => bank.people.checkElements(question) };
    },
  },
  {
    method: 'POST',
    path: /^\/verification\/trial-payments$/,
    parse({ bank, body }) {
      const payment = shape(TrialPaymentMessage, body);
      const point = { scope: 'verification', on: 'trial-payment', keys: [payment.messageNo, payment.account] } as const;
      return { point, run: () => bank.messages.payTrial(payment) };
    },
  },
  {
    method: 'POST',
    path: /^\/verification\/trial-inflows$/,
    parse({ bank, body }) {
      const inflow = shape(TrialInflowMessage, body);
      const point = { scope: 'verification', on: 'trial-inflow', keys: [inflow.reference, inflow.account] } as const;
      return { point, run: () => bank.messages.findTrialInflow(inflow) };
    },
  },
  {
    method: 'POST',
    path: /^\/sms\/messages$/,
    parse({ bank, body }) {
      const message = shape(SmsMessage, body);
      const point = { scope: 'sms', on: 'submit', keys: [message.messageNo, message.mobile] } as const;
      return { point, run: () => bank.messages.sendSms(message) };
    },
  },
  { method: 'GET', path: /^\/sandbox\/people$/, parse: ({ bank }) => ({ run: () => ({ items: bank.people.all() }) }) },
  {
    method: 'PUT',
    path: /^\/sandbox\/people$/,
    parse({ bank, body }) {
      const { people } = shape(PeopleMessage, body);
      return { run: () => orConflict(bank.people.put(people) ?? { items: bank.people.all().length }) };
    },
  },
  {
    method: 'GET',
    path: /^\/sandbox\/sms$/,
    parse({ bank, query }) {
      const { mobile } = shape(SmsQuery, query);
      return { run: () => ({ items: bank.messages.sms(mobile) }) };
    },
  },
  {
    method: 'GET',
    path: /^\/sandbox\/trials$/,
    parse({ bank, query }) {
      const { account } = shape(TrialsQuery, query);
      return { run: () => ({ items: bank.messages.trials(account) }) };
    },
  },
  {
    method: 'POST',
    path: /^\/sandbox\/trials\/inflows$/,
    parse({ bank, body }) {
      const inflow = shape(TrialInflowMessage, body);
      return { run: () => orConflict(bank.messages.addTrialInflow(inflow) ?? { reference: inflow.reference }) };
    },
  },
];
