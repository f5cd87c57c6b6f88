/**
 * Day-end files (日终对账文件) of the channels that have them, by SFTP: UnionPay's of fixed width in GBK, the payment institution's with bars in
 * UTF-8. Guarantees: nothing of a file counts unless all of it is right; the host is known by its key; a file of any length is read in a few
 * buffers.
 */
export * from './day-file.js';
export { digestBeside } from './digest.js';
export { type DayEndNews, dayEndNews } from './news.js';
export { pspFile } from './psp-file.js';
export { type RemoteFiles, type RemoteFolder, sftpFiles } from './sftp.js';
export { openSshPrivateKey, sshFingerprint, sshPublicKey } from './ssh-key.js';
export { unionPayFile } from './unionpay-file.js';
