import type { Clock } from '../kernel/index.js';
import { wallClock } from '../runtime/index.js';
import { cnapsChannel } from './cnaps/cnaps-channel.js';
import { CNAPS_CODES } from './cnaps/envelope.js';

export { PARTICIPANT } from './cnaps/envelope.js';

import { type CoreBank, httpCoreBank } from './core-bank.js';
import { type DayEndNews, dayEndNews, type FileChannel, hasDayFiles, pspFile, sftpFiles, unionPayFile } from './files/index.js';
import { type FundExchange, fundExchange } from './funds/index.js';
import { type BankHttp, openBankHttp } from './http.js';
import { httpChannel } from './http-channel.js';
import { CHANNELS, type Channel, type ChannelCode, type CollectingChannel, type Collector } from './port.js';
import { pspChannel } from './psp/psp-channel.js';
import { type FundSettings, fundSettingsOf, type InstitutionSettings, institutionOf } from './settings.js';
import { unionPayChannel } from './unionpay/unionpay-channel.js';
import { httpSmsGateway, httpVerification } from './verification/http-verification.js';
import type { SmsGateway, Verification } from './verification/verification.js';

/**
 * Everything outside the walls: the channels that carry payments and collect, the core bank that keeps the money, those who say who somebody is,
 * and the gateway of short messages. No database.
 */
export interface Channels {
  readonly channels: Readonly<Record<ChannelCode, Channel> & Record<CollectingChannel, Collector>>;
  readonly coreBank: CoreBank;
  /** The day files of the channels that have them. */
  readonly dayFiles: (channel: FileChannel) => Pick<DayEndNews, 'dates' | 'read'>;
  /** The files of fund companies. */
  readonly funds: FundExchange;
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
  /** The simulator at `bankUrl` when absent. */
  readonly unionpay?: InstitutionSettings;
  readonly psp?: InstitutionSettings;
  readonly funds?: FundSettings;
  /** Where the payment institution tells results; nowhere when absent. */
  readonly notifyUrl?: string;
  /** Milliseconds since 1970; the machine's clock when absent. */
  readonly wallMs?: () => number;
}

/** The adapter of a channel of the bank's own or of the People's Bank, which speaks that channel's form. */
function channelOf(code: ChannelCode, way: BankHttp, clock: Clock): Channel {
  const cnaps = CNAPS_CODES.find((each) => each === code);
  return cnaps === undefined ? httpChannel(code, way) : cnapsChannel(cnaps, way, clock);
}

/** Opens the ways to the bank; connects to nothing before the first call. */
export function openChannels(options: ChannelsOptions): Channels {
  const { bankUrl, timeoutMs = 5_000, connectTimeoutMs = 1_000, clock = wallClock } = options;
  const open = () => openBankHttp({ bankUrl, timeoutMs, connectTimeoutMs });
  const ways = { core: open(), verification: open(), sms: open() };
  const byChannel = CHANNELS.filter((code) => !hasDayFiles(code)).map((code) => ({ code, way: open() }));
  const institutions = openInstitutions(options, { timeoutMs, connectTimeoutMs });
  const { distributor, files } = options.funds ?? fundSettingsOf(bankUrl);
  const fundFiles = sftpFiles({ ...files, timeoutMs, connectTimeoutMs });
  return {
    channels: {
      ...Object.fromEntries(byChannel.map(({ code, way }) => [code, channelOf(code, way, clock)])),
      ...institutions.channels,
    } as Channels['channels'],
    coreBank: httpCoreBank(ways.core),
    dayFiles: institutions.dayFiles,
    funds: fundExchange(fundFiles, distributor),
    verification: httpVerification(ways.verification),
    sms: httpSmsGateway(ways.sms),
    async close() {
      await Promise.all([institutions.close(), fundFiles.close()]);
      await Promise.all([...Object.values(ways), ...byChannel.map(({ way }) => way)].map((way) => way.close()));
    },
  };
}

/** UnionPay and the payment institution: each has its own messages, its own keys and its own files. */
function openInstitutions(
  {
    bankUrl,
    unionpay = institutionOf('unionpay', bankUrl),
    psp = institutionOf('psp', bankUrl),
    notifyUrl,
    wallMs,
  }: ChannelsOptions,
  times: { timeoutMs: number; connectTimeoutMs: number },
) {
  const open = ({ url, pinned }: InstitutionSettings) =>
    openBankHttp({ bankUrl: url, ...times, ...(pinned === undefined ? {} : { pinned }) });
  const ways = { unionpay: open(unionpay), collect: open(unionpay), psp: open(psp), pspCollect: open(psp) };
  const files = { unionpay: sftpFiles({ ...unionpay.files, ...times }), psp: sftpFiles({ ...psp.files, ...times }) };
  const news = { unionpay: dayEndNews(files.unionpay, unionPayFile), psp: dayEndNews(files.psp, pspFile) };
  const { merchant } = psp;
  const partsOf = (http: BankHttp) => ({
    ...{ http, merchant, key: psp.key, peerKeys: psp.peerKeys, files: news.psp, wallMs: wallMs ?? wallClock.wall },
    ...(notifyUrl === undefined ? {} : { notifyUrl }),
  });
  const card = { merchant: unionpay.merchant, files: news.unionpay, keys: () => unionpay };
  return {
    channels: {
      unionpay: unionPayChannel('unionpay', { ...card, http: ways.unionpay }),
      collect: unionPayChannel('collect', { ...card, http: ways.collect }),
      psp: pspChannel('psp', partsOf(ways.psp)),
      'psp-collect': pspChannel('psp-collect', partsOf(ways.pspCollect)),
    },
    dayFiles: (channel: FileChannel) => (channel === 'psp' || channel === 'psp-collect' ? news.psp : news.unionpay),
    async close() {
      await Promise.all([...Object.values(ways), ...Object.values(files)].map((each) => each.close()));
    },
  };
}

export type {
  CoreBank,
  IncomingPage,
  IncomingTransfer,
  Inflow,
} from './core-bank.js';
export { FILE_CHANNELS, type FileChannel, openSshPrivateKey, sshFingerprint } from './files/index.js';
export * from './funds/index.js';
export { type PeerKeys, signingKeyOf } from './keys.js';
export * from './port.js';
export { readNotification } from './psp/psp-channel.js';
export { SIGNATURE_HEADER as PSP_SIGNATURE_HEADER } from './psp/signed-json.js';
export { isOwnBank, OWN_BANK } from './rules.js';
export { CALLBACK_PATH, settingsOf } from './settings.js';
export { type Statement, StatementFaulty } from './statement.js';
export * from './verification/verification.js';
export type { StatementLine } from './wire.js';
