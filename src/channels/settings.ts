import type { KeyObject } from 'node:crypto';
import { sshFingerprint, sshPublicKey } from './files/index.js';
import { asPeer, type PeerKeys, peerKeysOf, type SigningKey, sandboxSide, signingKeyOf } from './keys.js';
import { selfSigned } from './self-signed.js';

/** Where an institution is, who we are there, and by what both know each other. */
export interface InstitutionSettings {
  readonly url: string;
  readonly merchant: string;
  readonly key: SigningKey;
  readonly peerKeys: PeerKeys;
  /** Certificates in PEM that alone are believed; the machine's own trust when absent. */
  readonly pinned?: readonly string[];
  readonly files: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
    readonly key: KeyObject;
  };
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
  const filesKey = signingKeyOf(texts.filesKey)?.privateKey;
  const place = /^sftp:\/\/([A-Za-z0-9._-]+)@([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?\/?$/.exec(texts.files);
  const faulty = (what: string) => new InstitutionSettingsFaulty(`${which}: ${what}`);
  if (texts.merchant === '') throw faulty('its merchant number is not set');
  if (key === undefined || peerKeys === undefined) throw faulty('its keys are not set, or not of the form `id=<base64>`');
  if (filesKey?.asymmetricKeyType !== 'ed25519') throw faulty('the key of its files is not an Ed25519 key, `id=<base64>`');
  if (place === null) throw faulty('the place of its files is not of the form `sftp://user@host:port`');
  if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(texts.filesHostKey)) throw faulty('the host key of its files is not `SHA256:…`');
  const [, user = '', host = '', port = '22'] = place;
  return {
    ...{ url: texts.url, merchant: texts.merchant, key, peerKeys },
    files: { user, host, port: Number(port), hostKey: texts.filesHostKey, key: filesKey },
    ...(texts.certificate === '' ? {} : { pinned: [texts.certificate.replaceAll('\\n', '\n')] }),
  };
}

function sandboxSettings(which: 'unionpay' | 'psp', bankUrl: string, merchant: string): InstitutionSettings {
  const { protocol, hostname, port, host } = new URL(bankUrl);
  const theirs = sandboxSide('theirs');
  const ours = sandboxSide('ours');
  const files = {
    ...{ host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80), user: which },
    ...{ hostKey: sshFingerprint(sshPublicKey(theirs.ssh)), key: ours.ssh },
  };
  const known = { merchant: merchant === '' ? SANDBOX_MERCHANT : merchant, files };
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

/** What of the configuration says where the channels are. */
type ChannelsConfig = Readonly<Record<'BANK_URL' | 'PUBLIC_URL' | 'PSP_NOTIFY_URL' | Name<'UNIONPAY'> | Name<'PSP'>, string>>;

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
    notifyUrl: PSP_NOTIFY_URL === '' ? new URL(CALLBACK_PATH, PUBLIC_URL).href : PSP_NOTIFY_URL,
  };
}
