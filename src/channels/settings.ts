import type { KeyObject } from 'node:crypto';
import { sshFingerprint, sshPublicKey } from './files/index.js';
import { asPeer, type PeerKeys, peerKeysOf, type SigningKey, sandboxSide, signingKeyOf } from './keys.js';
import { selfSigned } from './self-signed.js';

/** Where files are fetched by SFTP, and by what both sides know each other. */
interface FilesPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
  readonly key: KeyObject;
}

/** Where an institution is, who we are there, and by what both know each other. */
export interface InstitutionSettings {
  readonly url: string;
  readonly merchant: string;
  readonly key: SigningKey;
  readonly peerKeys: PeerKeys;
  /** Certificates in PEM that alone are believed; the machine's own trust when absent. */
  readonly pinned?: readonly string[];
  readonly files: FilesPlace;
}

/** As the configuration has them; '' where nobody said anything. */
export interface InstitutionTexts {
  readonly url: string;
  readonly merchant: string;
  readonly key: string;
  readonly peerKeys: string;
  readonly certificate: string;
  readonly files: string;
  readonly filesHostKey: string;
  readonly filesKey: string;
}

const NONE: InstitutionTexts = {
  ...{ url: '', merchant: '', key: '', peerKeys: '' },
  ...{ certificate: '', files: '', filesHostKey: '', filesKey: '' },
};

/** A faulty or half-given setting. */
class InstitutionSettingsFaulty extends Error {}

/**
 * Reads the settings of an institution. Where no address is named it is the bank simulator at `bankUrl`, with the keys of a sandbox; whoever
 * names an address has to name everything, since everybody knows the sandbox's keys.
 * @throws InstitutionSettingsFaulty
 */
export function institutionOf(which: 'unionpay' | 'psp', bankUrl: string, texts: InstitutionTexts = NONE): InstitutionSettings {
  if (texts.url === '') {
    const named = Object.entries(texts).find(([name, text]) => name !== 'merchant' && text !== '');
    if (named !== undefined) throw new InstitutionSettingsFaulty(`${which}: ${named[0]} is set, and its address is not`);
    return sandboxSettings(which, bankUrl, texts.merchant);
  }
  const key = signingKeyOf(texts.key);
  const peerKeys = peerKeysOf(texts.peerKeys);
  const faulty = (what: string) => new InstitutionSettingsFaulty(`${which}: ${what}`);
  if (texts.merchant === '') throw faulty('its merchant number is not set');
  if (key === undefined || peerKeys === undefined) throw faulty('its keys are not set, or not of the form `id=<base64>`');
  return {
    ...{ url: texts.url, merchant: texts.merchant, key, peerKeys },
    files: filesPlaceOf(texts, faulty),
    ...(texts.certificate === '' ? {} : { pinned: [texts.certificate.replaceAll('\\n', '\n')] }),
  };
}

function filesPlaceOf(
  texts: Pick<InstitutionTexts, 'files' | 'filesHostKey' | 'filesKey'>,
  faulty: (what: string) => InstitutionSettingsFaulty,
): FilesPlace {
  const key = signingKeyOf(texts.filesKey)?.privateKey;
  const place = /^sftp:\/\/([A-Za-z0-9._-]+)@([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?\/?$/.exec(texts.files);
  if (key?.asymmetricKeyType !== 'ed25519') throw faulty('the key of its files is not an Ed25519 key, `id=<base64>`');
  if (place === null) throw faulty('the place of its files is not of the form `sftp://user@host:port`');
  if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(texts.filesHostKey)) throw faulty('the host key of its files is not `SHA256:…`');
  const [, user = '', host = '', port = '22'] = place;
  return { user, host, port: Number(port), hostKey: texts.filesHostKey, key };
}

/** Where the files of fund companies are exchanged, and as whom. */
export interface FundSettings {
  /** Our code as a distributor (销售机构代码). */
  readonly distributor: string;
  readonly files: FilesPlace;
}

const SANDBOX_DISTRIBUTOR = '999';

/**
 * Reads the settings of the exchange with fund companies. Where no place is named it is the bank simulator at `bankUrl`; whoever names one has to name
 * everything.
 * @throws InstitutionSettingsFaulty
 */
export function fundSettingsOf(
  bankUrl: string,
  texts: Pick<InstitutionTexts, 'files' | 'filesHostKey' | 'filesKey'> & { readonly distributor: string } = {
    ...{ files: '', filesHostKey: '', filesKey: '', distributor: '' },
  },
): FundSettings {
  const faulty = (what: string) => new InstitutionSettingsFaulty(`funds: ${what}`);
  if (texts.files === '') {
    if (texts.filesHostKey !== '' || texts.filesKey !== '') throw faulty('a key is set, and the place of its files is not');
    const distributor = texts.distributor === '' ? SANDBOX_DISTRIBUTOR : texts.distributor;
    return { distributor, files: sandboxFiles(bankUrl, 'funds') };
  }
  if (texts.distributor === '') throw faulty('our code as a distributor is not set');
  return { distributor: texts.distributor, files: filesPlaceOf(texts, faulty) };
}

/** The simulator's own SFTP, at the same address. */
function sandboxFiles(bankUrl: string, user: string): FilesPlace {
  const { protocol, hostname, port } = new URL(bankUrl);
  return {
    ...{ host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80), user },
    ...{ hostKey: sshFingerprint(sshPublicKey(sandboxSide('theirs').ssh)), key: sandboxSide('ours').ssh },
  };
}

function sandboxSettings(which: 'unionpay' | 'psp', bankUrl: string, merchant: string): InstitutionSettings {
  const { host } = new URL(bankUrl);
  const theirs = sandboxSide('theirs');
  const ours = sandboxSide('ours');
  const known = { merchant: merchant === '' ? SANDBOX_MERCHANT : merchant, files: sandboxFiles(bankUrl, which) };
  if (which === 'psp') return { ...known, url: bankUrl, key: ours.psp, peerKeys: asPeer(theirs.psp) };
  return {
    ...{ ...known, url: `https://${host}` },
    ...{ pinned: [selfSigned(theirs.tls, SANDBOX_NAME)] },
    // The keys take a while to make, and most processes never need them.
    get key() {
      return ours.unionpay;
    },
    get peerKeys() {
      return asPeer(theirs.unionpay);
    },
  };
}

const SANDBOX_MERCHANT = '777290000000001';
/** Whom the simulator's certificate names. */
export const SANDBOX_NAME = 'unionpay.sandbox';

type Name<P extends string> =
  | `${P}_URL`
  | `${P}_MERCHANT`
  | `${P}_KEY`
  | `${P}_PEER_KEYS`
  | `${P}_CERTIFICATE`
  | `${P}_FILES`
  | `${P}_FILES_HOST_KEY`
  | `${P}_FILES_KEY`;

type FundName = 'FUNDS_DISTRIBUTOR' | 'FUNDS_FILES' | 'FUNDS_FILES_HOST_KEY' | 'FUNDS_FILES_KEY';

/** What of the configuration says where the channels are. */
type ChannelsConfig = Readonly<
  Record<'BANK_URL' | 'PUBLIC_URL' | 'PSP_NOTIFY_URL' | Name<'UNIONPAY'> | Name<'PSP'> | FundName, string>
>;

/** The path of our API that the payment institution tells results to. */
export const CALLBACK_PATH = '/v1/channels/psp/callbacks';

/** @throws InstitutionSettingsFaulty */
export function settingsOf(config: ChannelsConfig) {
  const textsOf = (prefix: 'UNIONPAY' | 'PSP'): InstitutionTexts => ({
    ...{ url: config[`${prefix}_URL`], merchant: config[`${prefix}_MERCHANT`], key: config[`${prefix}_KEY`] },
    ...{ peerKeys: config[`${prefix}_PEER_KEYS`], certificate: config[`${prefix}_CERTIFICATE`] },
    ...{ files: config[`${prefix}_FILES`], filesHostKey: config[`${prefix}_FILES_HOST_KEY`] },
    filesKey: config[`${prefix}_FILES_KEY`],
  });
  const { BANK_URL: bankUrl, PUBLIC_URL, PSP_NOTIFY_URL } = config;
  return {
    bankUrl,
    unionpay: institutionOf('unionpay', bankUrl, textsOf('UNIONPAY')),
    psp: institutionOf('psp', bankUrl, textsOf('PSP')),
    funds: fundSettingsOf(bankUrl, {
      ...{ distributor: config.FUNDS_DISTRIBUTOR, files: config.FUNDS_FILES },
      ...{ filesHostKey: config.FUNDS_FILES_HOST_KEY, filesKey: config.FUNDS_FILES_KEY },
    }),
    notifyUrl: PSP_NOTIFY_URL === '' ? new URL(CALLBACK_PATH, PUBLIC_URL).href : PSP_NOTIFY_URL,
  };
}
