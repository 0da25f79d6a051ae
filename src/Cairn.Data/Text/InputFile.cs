using Cairn.Base;

namespace Cairn.Data;

/// <summary>Reads the user's files whole, with one clear sentence where that is impossible.</summary>
internal static class InputFile
{
    /// <summary>The whole content.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytesMax">The most that is accepted.</param>
    /// <param name="kind">What it should be, such as "a text file".</param>
    /// <exception cref="InputException">It is missing, cannot be read or is too large.</exception>
    public static byte[] ReadAll(string path, long bytesMax, string kind)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            if (stream.Length > Math.Min(bytesMax, Array.MaxLength))
            {
                throw new InputException($"{path} is {stream.Length} bytes long, {kind} may have {bytesMax}: split it or choose another file.");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{path} does not exist: give the path of {kind}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path} cannot be read: {e.Message} Give the path of {kind}.", e);
        }
    }
}
