// Speaks with a Cairn server through the official client: completes, streams, is cancelled, and gets the faults that the client has names for.
// node check.mjs --url http://127.0.0.1:7480/v1 --model NAME --key KEY [--modules FOLDER]
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
    options: { url: { type: 'string' }, model: { type: 'string' }, key: { type: 'string' }, modules: { type: 'string', default: '.' } },
});
const OpenAI = createRequire(path.resolve(values.modules, 'package.json'))('openai').default;
const client = new OpenAI({ baseURL: values.url, apiKey: values.key, maxRetries: 0 });
const model = values.model;
const messages = [{ role: 'user', content: 'Tell me something.' }];
// The token that ends a text would end it anywhere, for the model says what it likes.
const goesOn = { logit_bias: { 256: -100 } };

const checks = {
    async 'lists models'() {
        const ids = [];
        for await (const one of client.models.list()) {
            ids.push(one.id);
        }
        assert.deepEqual(ids, [model]);
        assert.equal((await client.models.retrieve(model)).id, model);
    },

    async 'completes a text'() {
        const answer = await client.completions.create({ model, prompt: 'Once', max_tokens: 8, temperature: 0.7, seed: 4, ...goesOn });
        assert.equal(answer.object, 'text_completion');
        assert.equal(answer.choices[0].finish_reason, 'length');
        assert.equal(answer.usage.completion_tokens, 8);
        const again = await client.completions.create({ model, prompt: 'Once', max_tokens: 8, temperature: 0.7, seed: 4, ...goesOn });
        assert.equal(again.choices[0].text, answer.choices[0].text);
    },

    async 'completes a conversation, several times, with probabilities'() {
        const answer = await client.chat.completions.create({ model, messages, n: 2, max_tokens: 6, logprobs: true, top_logprobs: 2, seed: 1, ...goesOn });
        assert.equal(answer.choices.length, 2);
        for (const choice of answer.choices) {
            assert.equal(choice.message.role, 'assistant');
            assert.equal(choice.logprobs.content.length, 6);
            assert.ok(choice.logprobs.content.every((token) => token.logprob <= 0 && token.top_logprobs.length === 2));
        }
    },

    async 'streams a conversation'() {
        const asked = { model, messages, max_tokens: 20, temperature: 0.5, seed: 2, ...goesOn };
        const stream = await client.chat.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } });
        let [said, reason, usage] = ['', null, null];
        for await (const chunk of stream) {
            said += chunk.choices[0]?.delta?.content ?? '';
            reason = chunk.choices[0]?.finish_reason ?? reason;
            usage = chunk.usage ?? usage;
        }
        assert.equal(reason, 'length');
        assert.equal(usage.completion_tokens, 20);
        assert.equal((await client.chat.completions.create(asked)).choices[0].message.content, said);
    },

    async 'streams through the helper'() {
        const runner = client.chat.completions.stream({ model, messages, max_tokens: 5, ...goesOn });
        assert.equal((await runner.finalChatCompletion()).choices[0].finish_reason, 'length');
    },

    async 'is cancelled in the middle of a stream'() {
        const stream = await client.chat.completions.create({ model, messages, stream: true, max_tokens: 900, ...goesOn });
        let chunks = 0;
        for await (const _ of stream) {
            if (++chunks === 3) {
                stream.controller.abort();
            }
        }
        assert.ok(chunks >= 3 && chunks < 900);
        const abort = new AbortController();
        setTimeout(() => abort.abort(), 50);
        await assert.rejects(
            client.completions.create({ model, prompt: 'x', max_tokens: 900, n: 16, ...goesOn }, { signal: abort.signal }), OpenAI.APIUserAbortError);
    },

    async 'gets faults by their names'() {
        const fault = async (request, kind, fields) => {
            const told = await request.then(() => assert.fail('answered'), (error) => error);
            assert.ok(told instanceof kind, `${told.constructor.name}: ${told.message}`);
            for (const [name, value] of Object.entries(fields)) {
                assert.equal(told[name], value);
            }
        };
        await fault(client.completions.create({ model: 'other', prompt: 'x' }), OpenAI.NotFoundError, { code: 'model_not_found', param: 'model' });
        await fault(client.completions.create({ model, prompt: 'x', temperature: 9 }), OpenAI.BadRequestError, { param: 'temperature' });
        await fault(client.completions.create({ model, prompt: 'x', max_tokens: 1e6 }), OpenAI.BadRequestError, { code: 'context_length_exceeded' });
        await fault(client.chat.completions.create({ model, messages: [] }), OpenAI.BadRequestError, { param: 'messages' });
        await fault(client.completions.create({ model, prompt: 'x'.repeat(10 << 20) }), OpenAI.APIError, { status: 413, code: 'request_too_large' });
        const stranger = new OpenAI({ baseURL: values.url, apiKey: 'wrong', maxRetries: 0 });
        await fault(stranger.models.list(), OpenAI.AuthenticationError, { code: 'invalid_api_key' });
        const many = await Promise.allSettled(
            Array.from({ length: 40 }, () => client.completions.create({ model, prompt: 'x', max_tokens: 200, n: 4, ...goesOn })));
        const refused = many.filter((one) => one.status === 'rejected').map((one) => one.reason);
        assert.ok(refused.length > 0 && refused.length < 40, `${refused.length} of 40 refused`);
        assert.ok(refused.every((one) => one instanceof OpenAI.RateLimitError && one.headers.get('retry-after') === '1'));
    },
};

for (const [name, check] of Object.entries(checks)) {
    await check();
    console.log(`${name}: yes`);
}
