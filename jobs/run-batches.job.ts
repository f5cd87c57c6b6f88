import { runBatch } from '../src/batches/index.js';
import { asId } from '../src/kernel/index.js';
import type { JobDefinition } from './job.js';

export const runBatchesJob: JobDefinition = {
  name: 'run-batches',
  en: 'gives the lines of a batch that was started, and looks what became of them; key: the batch',
  zh: '执行批量指令文件',
  concurrency: 2,
  run: async ({ rt, intake }, key) => runBatch({ rt, intake }, asId(key)),
};
