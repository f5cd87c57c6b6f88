import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Files of instructions that a platform gives under one number, and what became of each line.
 * New tables only: nothing is locked. Back out: drop them. Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  // The number is the platform's own and means one file for ever. mode: partial, atomic. state: rejected, accepted, running, waiting,
  // finished. attempt: how often lines were started; look_ms: when a batch under way is looked at again, NULL when nothing is to be done.
  // faults: why it was rejected, as JSON. total: of the lines, minor units. content_hash: a blind index of the file as it came.
  `CREATE TABLE IF NOT EXISTS batch_files (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     shard_id INT NOT NULL,
     batch_no VARCHAR(64) NOT NULL,
     mode VARCHAR(8) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     state VARCHAR(10) NOT NULL,
     line_count INT NOT NULL,
     total BIGINT NOT NULL,
     faults MEDIUMTEXT NULL,
     attempt INT NOT NULL,
     actor VARCHAR(64) NOT NULL,
     received_ms BIGINT NOT NULL,
     started_ms BIGINT NULL,
     ended_ms BIGINT NULL,
     look_ms BIGINT NULL,
     UNIQUE KEY batch_files_once (platform_id, batch_no),
     KEY batch_files_by_platform (platform_id, id),
     KEY batch_files_due (look_ms),
     CONSTRAINT batch_files_counts CHECK (line_count >= 0 AND total >= 0 AND attempt >= 0)
   )`,
  // The lines of a file that is legal. state: ready (to be given in this attempt), given (instruction_id says as what), refused (with the
  // code, and no instruction), not-executed (sound, but another line of a file that is all or nothing was refused). The outcome of what is
  // given stands with the instruction. attempt: in which it was given last, or will be.
  `CREATE TABLE IF NOT EXISTS batch_file_lines (
     batch_id BIGINT NOT NULL,
     line INT NOT NULL,
     kind VARCHAR(24) NOT NULL,
     body_sealed MEDIUMTEXT NOT NULL,
     state VARCHAR(12) NOT NULL,
     attempt INT NOT NULL,
     instruction_id BIGINT NULL,
     code VARCHAR(32) NULL,
     detail MEDIUMTEXT NULL,
     PRIMARY KEY (batch_id, line),
     KEY batch_file_lines_by_state (batch_id, state, line)
   )`,
];

export class Batches1700000000021 implements MigrationInterface {
  name = 'Batches1700000000021';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
