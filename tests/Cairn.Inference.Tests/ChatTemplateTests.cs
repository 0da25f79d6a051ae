using Cairn.Base;

namespace Cairn.Inference.Tests;

/// <summary>Templates in the ways of the published families, and the language below them; what is expected was given by Jinja 3.1.6 with the settings that Hugging Face's programs use.</summary>
public sealed class ChatTemplateTests
{
    private const string Long = "{% set x = 'x' * 10000000 %}{% set y = 'x' * 10000000 %}";

    private const string ChatMl =
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    // System text inside the first turn; turns must alternate; a namespace carries what loops find.
    private const string Instructed = """
        {%- if messages[0]["role"] == "system" %}
            {%- set system = messages[0]["content"] | trim %}
            {%- set turns = messages[1:] %}
        {%- else %}
            {%- set turns = messages %}
        {%- endif %}
        {{- bos_token }}
        {%- set ns = namespace(at=0, last=-1) %}
        {%- for turn in turns if turn.role != 'tool' %}
            {%- if (turn.role == "user") != (ns.at % 2 == 0) %}
                {{- raise_exception("turns must alternate user/assistant") }}
            {%- endif %}
            {%- set ns.at = ns.at + 1 %}
            {%- if turn.role == "user" %}
                {%- if loop.first and system is defined %}
                    {{- "[INST] <<SYS>>\n" + system + "\n<</SYS>>\n\n" + turn.content + " [/INST]" }}
                {%- else %}
                    {{- "[INST] " ~ turn.content.strip() ~ " [/INST]" }}
                {%- endif %}
            {%- elif turn['role'] == 'assistant' %}
                {{- ' ' + (turn.content | trim) + ' ' + eos_token }}
            {%- endif %}
        {%- endfor %}
        """;

    private static readonly ChatMessage[] Talk =
    [
        new("system", " Be short. "), new("user", "Hello\nthere"), new("assistant", "Hi!"), new("user", "«Ünïcode» 👍🏽 \"quotes\""),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_conversation_in_chatml()
    {
        Assert.Equal(
            "<|im_start|>system\n Be short. <|im_end|>\n<|im_start|>user\nHello\nthere<|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n"
                + "<|im_start|>user\n«Ünïcode» 👍🏽 \"quotes\"<|im_end|>\n<|im_start|>assistant\n",
            ChatTemplate.Parse(ChatMl).Render(Talk, true, "", "<|im_end|>", Token));
    }

    [Fact]
    public void A_conversation_with_instructions_in_its_first_turn() => Assert.Equal(
        "<s>[INST] <<SYS>>\nBe short.\n<</SYS>>\n\nHello\nthere [/INST] Hi! </s>[INST] «Ünïcode» 👍🏽 \"quotes\" [/INST]",
        ChatTemplate.Parse(Instructed).Render(Talk, true, "<s>", "</s>", Token));

    [Fact]
    public void A_template_refuses_turns_in_its_own_words()
    {
        var refusal = Assert.Throws<InputException>(() => ChatTemplate.Parse(Instructed).Render([new("assistant", "I begin")], true, "<s>", "</s>", Token));
        Assert.Contains("turns must alternate user/assistant", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ 1 + 2 * 3 - 4 // 3 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2.0 }}", "6 -4 2 3.5 2.0")]
    [InlineData("{{ 'a' ~ 1 ~ none ~ true ~ 1.5 ~ nothing }}", "a1NoneTrue1.5")]
    [InlineData("{{ not 1 == 2 and 'a' in 'cat' or x.y }}", "True")]
    [InlineData("{{ 'b' not in 'cat' }} {{ 2 in [1, 2] }} {{ 'k' in {'k': 1} }} {{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }}", "True True True True False")]
    [InlineData("{{ 'yes' if x is defined else 'no' }}{{ '!' if false }}", "no")]
    [InlineData("{{ [1, 'a', none, [true], {'k': \"it's\"}] }}", "[1, 'a', None, [True], {'k': \"it's\"}]")]
    [InlineData("{{ 'abcdef'[1:3] }} {{ 'abcdef'[-2:] }} {{ 'abcdef'[::-1] }} {{ 'abc'[9:] }} {{ [1,2,3][:-1] }} {{ 'a👍c'[1] }} {{ 'a👍c' | length }}", "bc ef fedcba  [1, 2] 👍 3")]
    [InlineData("{{ '  x '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'a,b,c'.split(',') }}|{{ 'a,b,c'.split(',', 1)[-1] }}|{{ 'a  b'.split() }}", "x|a|['a', 'b', 'c']|b,c|['a', 'b']")]
    [InlineData("{{ 'a</t>b</t>c'.split('</t>')[-1].lstrip('\n') }} {{ 'ab'.startswith('a') }} {{ 'ab'.endswith(('x', 'b')) }}", "c True True")]
    [InlineData("{{ {'a': 1, 'b': [1, 2.5, none, 'é\"\n']} | tojson }}", "{\"a\": 1, \"b\": [1, 2.5, null, \"é\\\"\\n\"]}")]
    [InlineData("{{ {'a': [1], 'b': {}} | tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}")]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor %}", "a=1,b=2")]
    [InlineData("{% for k in {'b': 1, 'a': 2} | dictsort %}{{ k[0] }}{% endfor %} {{ {'a': 1}.get('z', 'd') }}", "ab d")]
    [InlineData("{% for i in range(3) %}{{ loop.index }}/{{ loop.length }}{{ loop.cycle('x', 'y') }} {% else %}none{% endfor %}", "1/3x 2/3y 3/3x ")]
    [InlineData("{% for i in [] %}x{% else %}none{% endfor %}", "none")]
    [InlineData("{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "0134")]
    [InlineData("{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "231")]
    [InlineData("{% set ns = namespace(x=1) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "4")]
    [InlineData("{% macro f(a, b='!') %}<{{ a }}{{ b }}>{% endmacro %}{{ f('x') }}{{ f('y', b='?') }}", "<x!><y?>")]
    [InlineData("{% set t %}a{{ 1 }}b{% endset %}{{ t | upper }}", "A1B")]
    [InlineData("{{ [{'r': 'u', 'n': 1}, {'r': 'a', 'n': 2}] | selectattr('r', 'equalto', 'a') | map(attribute='n') | list }}", "[2]")]
    [InlineData("{{ ['a', 'B'] | map('upper') | join('-') }} {{ [3, 1, 2] | sort | last }} {{ [1, 1, 2] | unique | list }} {{ x | default('d') }}", "A-B 3 [1, 2] d")]
    [InlineData("{{ 'hello world' | title }} {{ 'HELLO' | capitalize }} {{ 'a-b' | replace('-', '+') }} {{ '3' | int + 1 }} {{ 'aXb'.lower() }}", "Hello World Hello a+b 4 axb")]
    [InlineData("{{ 'x' is string }} {{ 1 is number }} {{ {} is mapping }} {{ [] is sequence }} {{ none is none }} {{ 4 is divisibleby 2 }} {{ 3 is odd }} {{ true is true }}", "True True True True True True True True")]
    [InlineData("{{ 1 is not string and x is not defined }}", "True")]
    [InlineData("{{ {'a': {'b': [5]}}.a.b[0] }} {{ ('a', 'b')[1] }} {% set a, b = 1, 2 %}{{ b }}", "5 b 2")]
    [InlineData("{# a comment #}a{% raw %}{{ b }}{% endraw %}", "a{{ b }}")]
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc")]
    [InlineData("a\n  {%- if true -%}\n  b\n  {%- endif %}\nc", "abc")]
    [InlineData("a\n  {%+ if true +%}\n  b\n  {{ 'x' }}\n  {% endif %}\n\nc", "a\n  \n  b\n  x\n\nc")]
    [InlineData("  {# gone #}\n  x {% if true %} y{% endif %}\n z", "  x  y z")]
    [InlineData("{{ {'a': {'b': 1}} }}", "{'a': {'b': 1}}")]
    [InlineData("{{ 'it\\'s \\n\\t\\\\ \\u00e9' 'joined' }}", "it's \n\t\\ éjoined")]
    [InlineData("{% generation %}x{% endgeneration %}", "x")]
    [InlineData("{% if false %}a{% elif 0 %}b{% elif '' %}c{% else %}d{% endif %}", "d")]
    [InlineData("{{ messages[0].nothing }}{{ messages[99] is defined }}", "False")]
    [InlineData("{{ strftime_now is defined }}", "False")]
    public void The_language_does_what_jinja_does(string template, string expected) =>
        Assert.Equal(expected, ChatTemplate.Parse(template).Render(Talk, true, "<s>", "</s>", Token));

    [Theory]
    [InlineData("{{ 'no end", "no end")]
    [InlineData("{% if x %}", "too early")]
    [InlineData("{% endif %}", "ends nothing")]
    [InlineData("{% include 'x' %}", "'include' is not known")]
    [InlineData("{{ x | nonsense }}", "no filter 'nonsense'")]
    [InlineData("{{ x is nonsense }}", "nothing is 'nonsense'")]
    [InlineData("{{ x $ y }}", "means nothing here")]
    [InlineData("{% break %}", "'break' is not known")]
    [InlineData("{{ 99999999999999999999 }}", "too large")]
    [InlineData("{{ f(a=1, 2) }}", "come first")]
    [InlineData("{{ f(a=1, b=2, a=3) }}", "no name twice")]
    [InlineData("{{ x.99999999999999999999 }}", "too large")]
    public void What_is_no_template_is_refused_when_it_is_read(string template, string reason)
    {
        var refusal = Assert.Throws<InputException>(() => ChatTemplate.Parse("\n" + template));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("line 2", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ x.y }}", "not defined")]
    [InlineData("{{ x() }}", "cannot be called")]
    [InlineData("{{ 'a' + 1 }}", "means nothing between")]
    [InlineData("{{ 1 % 0 }}", "division by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "too large")]
    [InlineData("{{ messages.append(1) }}", "would change")]
    [InlineData("{{ [1, 'a'] | sort }}", "have no order")]
    [InlineData("{{ ['a', none] | min }}", "have no order")]
    [InlineData("{{ [[1], [2]] | max }}", "have no order")]
    [InlineData("{{ [{'k': 1}, {'k': 'a'}] | sort(attribute='k') }}", "have no order")]
    [InlineData("{{ range(-9223372036854775807 - 1) }}", "whole numbers")]
    [InlineData("{{ range(1000000000) }}", "at most")]
    [InlineData("{% for a in range(2000) %}{% for b in range(2000) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% set ns = namespace(x='ab') %}{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", "characters")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for a in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "characters")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for a in range(50000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}", "deep")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for a in range(50000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}", "deep")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for a in range(50000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x == [ns.x] }}", "deep")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep")]
    [InlineData("{{ 'x' * 1000000000000 }}", "characters")]
    [InlineData("{% for a in range(9) %}{{ 'x' * 2000000 }}{% endfor %}", "writes more")]
    [InlineData("{{ [range(100000)|list] | map('join', 'x' * 1000) | list }}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x == y %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x != y %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x < y %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x in [y] %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x is eq y %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x.startswith(y) %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x.endswith(['z', y]) %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x in {'a': 1} %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% set z = {x: 1} %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% set z = {'a': 1}.get(x) %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% set z = {'a': 1}[x] %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% if x is lower %}{% endif %}{% endfor %}", "characters")]
    [InlineData(Long + "{% for i in range(2000) %}{% set z = x | int %}{% endfor %}", "characters")]
    [InlineData(Long + "{{ x | list | length }}", "characters")]
    [InlineData(Long + "{{ x[::2] | length }}", "characters")]
    [InlineData("{{ ('&' * 12000000) | e | length }}", "characters")]
    [InlineData("{{ ('a ' * 5000000).split() | length }}", "characters")]
    [InlineData("{% set p = range(100000) | map('string') | list %}{% for i in range(100) %}{% if 'x'.startswith(p) %}{% endif %}{% endfor %}", "steps")]
    [InlineData(
        "{% set ns = namespace(x=range(20000) | list) %}{% for a in range(90) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson(indent=16) }}", "characters")]
    public void What_a_template_does_is_bounded(string template, string reason)
    {
        var refusal = Assert.Throws<InputException>(() => ChatTemplate.Parse(template).Render(Talk, true, "<s>", "</s>", Token));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_search_takes_one_way_through_the_text_whatever_repeats_in_it()
    {
        // As many comparisons as the product of both lengths would take hours.
        const string Repeated = "{% set t = 'ab' * 3000000 %}{% set p = 'ab' * 600000 ~ 'cb' ~ 'ab' * 600000 %}";
        foreach (var (asked, expected) in new[]
        {
            ("{{ p in t }}", "False"), ("{{ t.find(p) }}", "-1"), ("{{ (t ~ p).find(p) }}", "6000000"), ("{{ t.replace(p, 'x') == t }}", "True"), ("{{ (t ~ p).count(p) }}", "1"),
        })
        {
            Assert.Equal(expected, ChatTemplate.Parse(Repeated + asked).Render(Talk, true, "", "", Token));
        }

        var random = new SeededRandom(3, "searches");
        for (var i = 0; i < 2000; i++)
        {
            var text = Letters(random.NextBelow(400));
            var piece = random.NextBelow(2) == 0 || text.Length < 70 ? Letters(65 + random.NextBelow(9)) : text.Substring(random.NextBelow(text.Length - 66), 66);
            Assert.Equal($"{text.IndexOf(piece, StringComparison.Ordinal)}", ChatTemplate.Parse($"{{{{ '{text}'.find('{piece}') }}}}").Render(Talk, true, "", "", Token));
        }

        // Mostly one letter, so that beginnings recur.
        string Letters(int length) => string.Concat(Enumerable.Range(0, length).Select(_ => random.NextBelow(40) == 0 ? 'b' : 'a'));
    }

    [Theory]
    [InlineData("{{ 'a👍c👍'[1:3] }} {{ 'a👍c👍'[-1:] }} {{ 'a👍c👍'[:-1] }} {{ 'a👍c👍'[::2] }} {{ 'a👍c👍' | length }}", "👍c 👍 a👍c ac 4")]
    [InlineData("{{ 'a👍' | first }}{{ 'a👍' | last }}{{ ('' | first) is defined }}{{ 'a👍c' | list }}", "a👍False['a', '👍', 'c']")]
    [InlineData("{{ ' \n\t a b\u00a0\u2003c '.split() }}{{ 'xyaxy'.strip('yx') }}{{ 'xyaxy'.lstrip('x') }}{{ 'xyaxy' | trim('y') }}", "['a', 'b', 'c']ayaxyxyax")]
    [InlineData("{{ 'x<\"&\\'>' | e }} {{ 'a\nb\n' | indent(2) }}", "x&lt;&#34;&amp;&#39;&gt; a\n  b\n")]
    [InlineData("{{ 'ab' in 'cabd' }}{{ '' in 'a' }}{{ 'abc'.find('') }}{{ 'abc'.find('cd') }}{{ 'a-b-c'.rsplit('-', 1) }}", "TrueTrue0-1['a-b', 'c']")]
    [InlineData("{{ [3, 1.5, true] | sort }} {{ ['b', 'a'] | min }}", "[True, 1.5, 3] a")]
    public void What_counts_its_work_gives_what_jinja_gives(string template, string expected) =>
        Assert.Equal(expected, ChatTemplate.Parse(template).Render(Talk, true, "<s>", "</s>", Token));

    [Fact]
    public void A_rendering_that_nobody_waits_for_ends_at_its_next_step()
    {
        using var gone = new CancellationTokenSource();
        gone.Cancel();
        foreach (var template in new[] { "{{ 1 }}", "{{ [2, 1] | sort }}" })
        {
            Assert.Throws<OperationCanceledException>(() => ChatTemplate.Parse(template).Render(Talk, true, "", "", gone.Token));
        }
    }

    [Fact]
    public void Nesting_is_bounded_before_anything_runs()
    {
        foreach (var (open, close) in new[] { ("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("{'a':", "}"), ("f(", ")") })
        {
            var template = "{{ " + string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000)) + " }}";
            Assert.Contains("deep", Assert.Throws<InputException>(() => ChatTemplate.Parse(template)).Message, StringComparison.Ordinal);
        }

        foreach (var more in new[] { "+1", "~'a'", " and 1", " or 0", "|trim", "[0]", ".a", " is defined", " == 1" })
        {
            var template = ChatTemplate.Parse("{{ 1" + string.Concat(Enumerable.Repeat(more, 20_000)) + " }}");
            var refusal = Record.Exception(() => template.Render(Talk, true, "", "", Token));
            Assert.True(refusal is null or InputException, $"{more}: {refusal}");
        }

        Assert.Contains("deep", Assert.Throws<InputException>(() => ChatTemplate.Parse(string.Concat(Enumerable.Repeat("{% if 1 %}", 50_000)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_bytes_are_mutated_a_template_is_read_or_refused()
    {
        var random = new SeededRandom(7, "templates");
        string[] seeds = [ChatMl, Instructed, "{% macro f(a) %}{{ a|tojson }}{% endmacro %}{% set x %}{{ f({'a': [1,2][::-1]}) }}{% endset %}{{ x[1:] }}"];
        const string Pieces = "{}%#-+|()[].,:'\"\\ \nabcifeforsetin01.=~";
        for (var i = 0; i < 3000; i++)
        {
            var text = seeds[i % seeds.Length].ToCharArray().ToList();
            for (var edits = 1 + random.NextBelow(4); edits > 0; edits--)
            {
                var at = random.NextBelow(text.Count);
                switch (random.NextBelow(3))
                {
                    case 0: text[at] = Pieces[random.NextBelow(Pieces.Length)]; break;
                    case 1: text.RemoveAt(at); break;
                    default: text.Insert(at, Pieces[random.NextBelow(Pieces.Length)]); break;
                }
            }

            var source = new string([.. text]);
            var fault = Record.Exception(() => ChatTemplate.Parse(source).Render(Talk, true, "<s>", "</s>", Token));
            Assert.True(fault is null or InputException, $"{source}\n{fault}");
        }
    }
}
