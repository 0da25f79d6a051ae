using System.Reflection;
using Cairn.Base;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>The page itself: a few files inside this assembly.</summary>
internal static class Assets
{
    private const string Prefix = "www/";
    private static readonly Dictionary<string, (byte[] Bytes, string Type, string Tag)> _files = Load();

    /// <summary>Sends a file; anything that is none is the page.</summary>
    public static async Task SendAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimStart('/');
        if (!_files.TryGetValue(path.Length == 0 ? "index.html" : path, out var file))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.Headers.ETag = file.Tag;
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(file.Tag, StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = file.Type;
        context.Response.ContentLength = file.Bytes.Length;
        await context.Response.Body.WriteAsync(file.Bytes, context.RequestAborted);
    }

    private static Dictionary<string, (byte[], string, string)> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var files = new Dictionary<string, (byte[], string, string)>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            files.Add(name[Prefix.Length..], (bytes, TypeOf(name), $"\"{Digest.Of(bytes).Short}\""));
        }

        return files;
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}
