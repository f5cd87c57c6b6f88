import { z } from 'zod';
import { Refused, refuse, toWire } from '../../kernel/index.js';
import { type Route, type Runtime, route, wireId } from '../../runtime/index.js';
import { staff } from '../users/admin-wire.js';
import { usersOfCustomer } from '../users/records.js';
import type { DocumentStore } from './document-store.js';
import { openDocument } from './documents.js';
import { documentsOf } from './records.js';

/** What the bank's staff may look at of the images that are kept. @param store opened when the first image is asked for */
export function documentAdminRoute(rt: Runtime, store: () => DocumentStore): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/customers/{customer}/documents/{document}',
    permission: 'customers.read',
    audited: true,
    summary: 'The image of a document itself; who looked at it is in the audit trail',
    summaryZh: '查看影像资料',
    params: z.strictObject({ customer: wireId('customer'), document: wireId('document') }),
    answers: { 200: { description: 'The image as it was uploaded' } },
    handle: async ({ params }) => {
      const document = await rt.db.read('document', async (tx) => {
        const users = await usersOfCustomer(tx, params.customer);
        const all = await documentsOf(
          tx,
          users.map((user) => user.id),
        );
        return all.find((each) => each.id === params.document);
      });
      if (document === undefined) throw new Refused(refuse('NOT_FOUND'));
      const bytes = await openDocument(rt, store(), document);
      if (bytes === undefined) throw new Refused(refuse('NOT_FOUND', 'The image is not in the store.'));
      const id = toWire('document', document.id);
      return {
        status: 200,
        body: bytes,
        // A PDF may hold more than a picture: it is taken home, not run in the page that asked for it.
        headers: { 'Content-Type': document.mediaType, 'Content-Disposition': `attachment; filename="${id}"` },
        audit: { target: `customer ${toWire('customer', params.customer)} document ${id}` },
      };
    },
  });
}
