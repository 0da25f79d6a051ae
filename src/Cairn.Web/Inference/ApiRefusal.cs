using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Why a request is not answered, in the form that clients of OpenAI know.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="type">The kind of fault.</param>
/// <param name="code">A name for programs, or null.</param>
/// <param name="parameter">The field that is wrong, or null.</param>
/// <param name="message">A sentence for people.</param>
internal sealed class ApiRefusal(int status, string type, string? code, string? parameter, string message) : Exception(message)
{
    private const string BadRequest = "invalid_request_error";

    public int Status => status;

    /// <summary>Seconds after which it may be tried again; null where that would change nothing.</summary>
    public int? RetryAfter { get; private init; }

    public ApiErrorView View => new(new ApiError(Message, type, parameter, code));

    public static ApiRefusal Field(string parameter, string message) => new(StatusCodes.Status400BadRequest, BadRequest, null, parameter, message);

    public static ApiRefusal Bad(string message) => new(StatusCodes.Status400BadRequest, BadRequest, null, null, message);

    public static ApiRefusal TooLong(string parameter, string message) =>
        new(StatusCodes.Status400BadRequest, BadRequest, "context_length_exceeded", parameter, message);

    public static ApiRefusal TooLarge(long bytesMax) =>
        new(StatusCodes.Status413PayloadTooLarge, BadRequest, "request_too_large", null, $"The body of a request may have at most {bytesMax} bytes.");

    public static ApiRefusal NoKey(bool given) =>
        new(StatusCodes.Status401Unauthorized, BadRequest, "invalid_api_key", null, given
            ? "The API key is not one of this server's."
            : "This server wants an API key: send it as 'Authorization: Bearer KEY'.");

    public static ApiRefusal NoModel(string asked, string served) =>
        new(StatusCodes.Status404NotFound, BadRequest, "model_not_found", "model", $"There is no model '{asked}' here: '{served}' is served.");

    public static ApiRefusal NoRoute(string path) =>
        new(StatusCodes.Status404NotFound, BadRequest, "unknown_url", null, $"There is nothing at {path}: see docs/serving.md for what there is.");

    public static ApiRefusal NoMethod(string path) =>
        new(StatusCodes.Status405MethodNotAllowed, BadRequest, "method_not_supported", null, $"{path} is asked in another way: see docs/serving.md.");

    public static ApiRefusal Busy(string message) =>
        new(StatusCodes.Status429TooManyRequests, "rate_limit_error", "rate_limit_exceeded", null, message) { RetryAfter = 1 };

    public static ApiRefusal TooSlow(double seconds) =>
        new(
            StatusCodes.Status503ServiceUnavailable, "server_error", "timeout", null,
            $"The answer took longer than {seconds:0.##} seconds, as long as a request may: ask for fewer tokens.");

    public static ApiRefusal Fault() =>
        new(
            StatusCodes.Status500InternalServerError, "server_error", "internal_error", null,
            "The server failed with this request, by a fault of its own: whoever runs it is told which.");

    public static ApiRefusal Leaving() =>
        new(StatusCodes.Status503ServiceUnavailable, "server_error", "shutting_down", null, "The server is being stopped.");
}
