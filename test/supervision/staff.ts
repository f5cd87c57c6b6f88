import request from 'supertest';
import { isOpening, openSubMerchants } from '../../src/accounts/index.js';
import type { Id } from '../../src/kernel/index.js';
import { auditTrail, createOperator, issueToken, operatorAuthentication, type Role } from '../../src/operators/index.js';
import { platformAuthentication } from '../../src/platforms/index.js';
import { createHttpApp, type Listening, listen, type Runtime } from '../../src/runtime/index.js';
import { supervisionRoutes } from '../../src/supervision/index.js';
import type { Market } from '../clearing/market.js';

const ANNA = { kind: 'person', name: '王小明', idNo: '11010519491231002X' } as const;

/** A sub-account of a natural person on a market's platform. */
export async function sellerOn(market: Market, merchantNo: string, party = ANNA): Promise<Id> {
  const settlementAccount = { name: party.name, account: '6228480012345678903', bankCode: '102100099996' };
  const [opened] = await openSubMerchants(market.world.rt, market.platformId, [
    { merchantNo, party, settlementAccount, cycle: 'on-request' },
  ]);
  if (opened === undefined || !isOpening(opened)) throw new Error('not opened');
  return opened.merchant.accountId;
}

export interface Desk {
  /** A member of staff, as whom to ask. */
  staff(...roles: Role[]): Promise<(method: 'get' | 'post', path: string, body?: object) => request.Test>;
  stop(): Promise<void>;
}

/** The routes of supervision over a world's own runtime. */
export async function openDesk(rt: Runtime): Promise<Desk> {
  const api: Listening = await listen(
    createHttpApp({
      routes: supervisionRoutes(rt),
      authenticate: { platform: platformAuthentication(rt), operator: operatorAuthentication(rt) },
      audit: auditTrail(rt),
      runtime: rt,
    }),
    { host: '127.0.0.1', port: 0 },
  );
  return {
    async staff(...roles) {
      const token = await rt.db.withTx('staff', async (tx) => {
        const { id } = await createOperator(tx, { name: 'Staff', roles }, rt);
        return issueToken(tx, id, rt);
      });
      return (method, path, body) => {
        const call = request(api.url)[method](path).set('authorization', `Bearer ${token}`);
        return body === undefined ? call : call.send(body);
      };
    },
    stop: () => api.stop(1_000),
  };
}
