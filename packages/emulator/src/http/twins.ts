import { CloudFault } from '../state/fault.ts';
import { isJsonObject } from '../state/json.ts';
import { parseObject } from './body.ts';
import { twinDocument } from './documents.ts';
import { ifMatchOf } from './registry.ts';
import { type HttpRequest, identityIn, type Operation } from './types.ts';

const get: Operation['handle'] = (request, { cloud }) => {
  const identity = identityIn(request.params);
  const twin = cloud.readTwin(identity);
  const document = twinDocument(cloud.identities.get(identity), twin, cloud);
  return { status: 200, headers: { etag: `"${twin.etag}"` }, body: document };
};

const change =
  (replace: boolean): Operation['handle'] =>
  (request: HttpRequest, { cloud }) => {
    const identity = identityIn(request.params);
    const document = parseObject(request.body);
    const properties = document.properties ?? {};
    if (!isJsonObject(properties)) {
      // Text of a capture: Node device SDK, "could not update twin reported properties".
      throw new CloudFault('argument-invalid', { text: "Provided json is not a valid 'tags' or 'properties' object" });
    }
    const input = { tags: document.tags, desired: properties.desired };
    const twin = cloud.changeTwin(identity, input, { replace, ifMatch: ifMatchOf(request) });
    const answer = twinDocument(cloud.identities.get(identity), twin, cloud);
    return { status: 200, headers: { etag: `"${twin.etag}"` }, body: answer };
  };

/** Twin operations of the service by name. */
export const twins = {
  get: { name: 'twin-get', access: 'service', shape: 'new', handle: get },
  patch: { name: 'twin-patch', access: 'service', shape: 'new', handle: change(false) },
  replace: { name: 'twin-replace', access: 'service', shape: 'new', handle: change(true) },
} as const satisfies Record<string, Operation>;
