import { reconcileChannelFiles } from '../src/reconciliation/index.js';
import type { JobDefinition } from './job.js';

export const compareFilesJob: JobDefinition = {
  name: 'compare-files',
  en: 'compares the day files of channels with what was handed to them; key: all',
  zh: '渠道文件对账',
  concurrency: 1,
  run: async (desk) => reconcileChannelFiles(desk),
};
