namespace Trestle.EndToEnd.Tests;

/// <summary>An engine of the standard library of Python: it takes the arguments of <c>vllm serve</c> and answers in the words of its model.</summary>
internal static class TinyEngine
{
    /// <summary>engine.py.</summary>
    public const string Text = """"
        import http.server, json, sys

        def flag(name, otherwise=None):
            return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def say(self, code, text, kind="application/json"):
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_GET(self):
                if self.path == "/health":
                    self.say(200, "")
                elif self.path == "/v1/models":
                    self.say(200, json.dumps({"object": "list", "data": [{"id": flag("--served-model-name"), "object": "model"}]}))
                elif self.path == "/metrics":
                    self.say(200, "vllm:num_requests_running 0\nvllm:num_requests_waiting 0\nvllm:generation_tokens_total 0\n", "text/plain")
                else:
                    self.say(404, "{}")

            def do_POST(self):
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while (size := int(self.rfile.readline(), 16)) > 0:
                        self.rfile.read(size + 2)
                    self.rfile.readline()
                else:
                    self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.say(200, json.dumps({"model": flag("--served-model-name"), "choices": [{"text": flag("--revision", "first")}]}))

        http.server.ThreadingHTTPServer((flag("--host"), int(flag("--port"))), Handler).serve_forever()
        """";

    /// <summary>The fields of a service with it, below <c>spec:</c>; the ConfigMap is called engine.</summary>
    public const string Spec = """
        model: {uri: /trestle/workdir/model, servedName: tiny}
        engine: {command: [python3, -u, engine.py]}
        workdir: {configMap: {name: engine}}
        resources: {accelerators: "H100:1"}
        health: {startup: {periodSeconds: 1}, readiness: {periodSeconds: 1}}
        termination: {preStop: 0s, drain: 1s}
        """;
}
