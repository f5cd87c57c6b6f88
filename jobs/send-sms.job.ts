import { sendSms } from '../src/consents/index.js';
import type { JobDefinition } from './job.js';

export const sendSmsJob: JobDefinition = {
  name: 'send-sms',
  en: 'hands waiting messages to the SMS gateway; key: all',
  zh: '发送短信',
  concurrency: 1,
  run: async ({ rt, channels }) => sendSms(rt, channels.sms),
};
