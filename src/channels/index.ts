import type { Clock } from '../kernel/index.js';
import { wallClock } from '../runtime/index.js';
import { cnapsChannel } from './cnaps/cnaps-channel.js';
import { CNAPS_CODES } from './cnaps/envelope.js';
import { type CoreBank, httpCoreBank } from './core-bank.js';
import { type BankHttp, openBankHttp } from './http.js';
import { httpChannel } from './http-channel.js';
import { httpSmsGateway, httpVerification } from './http-verification.js';
import { CHANNELS, type Channel, type ChannelCode } from './port.js';
import type { SmsGateway, Verification } from './verification.js';

/**
 * Everything outside the walls: the channels that carry payments and collect, the core bank that keeps the money, those who say who somebody is,
 * and the gateway of short messages. No database.
 */
export interface Channels {
  readonly channels: Readonly<Record<ChannelCode, Channel>>;
  readonly coreBank: CoreBank;
  readonly verification: Verification;
  readonly sms: SmsGateway;
  /** Ends all connections; calls under way answer unknown. */
  close(): Promise<void>;
}

export interface ChannelsOptions {
  readonly bankUrl: string;
  /** For the head of an answer and for each silence within it; 5 s when absent. */
  readonly timeoutMs?: number;
  /** 1 s when absent. */
  readonly connectTimeoutMs?: number;
  /** Dates the messages that carry a date; the wall's clock when absent. */
  readonly clock?: Clock;
}

/** The adapter of a channel, which speaks that channel's form. */
function channelOf(code: ChannelCode, way: BankHttp, clock: Clock): Channel {
  const cnaps = CNAPS_CODES.find((each) => each === code);
  return cnaps === undefined ? httpChannel(code, way) : cnapsChannel(cnaps, way, clock);
}

/** Opens the ways to the bank; connects to nothing before the first call. */
export function openChannels(options: ChannelsOptions): Channels {
  const { bankUrl, timeoutMs = 5_000, connectTimeoutMs = 1_000, clock = wallClock } = options;
  const open = () => openBankHttp({ bankUrl, timeoutMs, connectTimeoutMs });
  const ways = { core: open(), verification: open(), sms: open() };
  const byChannel = CHANNELS.map((code) => ({ code, way: open() }));
  return {
    channels: Object.fromEntries(byChannel.map(({ code, way }) => [code, channelOf(code, way, clock)])) as Channels['channels'],
    coreBank: httpCoreBank(ways.core),
    verification: httpVerification(ways.verification),
    sms: httpSmsGateway(ways.sms),
    async close() {
      await Promise.all([...Object.values(ways), ...byChannel.map(({ way }) => way)].map((way) => way.close()));
    },
  };
}

export {
  type CoreBank,
  type IncomingPage,
  type IncomingTransfer,
  type Inflow,
  type Statement,
  StatementFaulty,
} from './core-bank.js';
export * from './port.js';
export { isOwnBank, OWN_BANK } from './rules.js';
export * from './verification.js';
export type { StatementLine } from './wire.js';
