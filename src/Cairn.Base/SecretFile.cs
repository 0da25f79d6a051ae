namespace Cairn.Base;

/// <summary>Files that only their owner can read: created so, and refused otherwise.</summary>
public static class SecretFile
{
    /// <summary>Reads a secret, or makes it.</summary>
    /// <param name="path">A file of mode 0600; its folder is created if missing.</param>
    /// <param name="make">Gives the content of a new file. Of two processes that create it at the same time one does, and both read that.</param>
    /// <exception cref="InputException">Others than its owner can read or change it, or it cannot be read or written.</exception>
    public static byte[] ReadOrCreate(string path, Func<byte[]> make)
    {
        try
        {
            if (!File.Exists(path))
            {
                Store(path, make(), overwrite: false);
            }

            return Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot use the key file {path}: {e.Message} Give a file that this account can read and write.", e);
        }
    }

    /// <summary>Reads a secret that is there.</summary>
    /// <param name="path">A file of mode 0600.</param>
    /// <exception cref="InputException">It is missing, or others than its owner can read or change it.</exception>
    public static byte[] ReadExisting(string path)
    {
        try
        {
            return Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot use the key file {path}: {e.Message} Give a file that this account can read.", e);
        }
    }

    /// <summary>Replaces a secret by another form of it, atomically.</summary>
    /// <param name="path">A file of mode 0600.</param>
    /// <param name="secret">Its new content.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void Replace(string path, byte[] secret)
    {
        try
        {
            Store(path, secret, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot use the key file {path}: {e.Message} Give a file that this account can read and write.", e);
        }
    }

    private static byte[] Read(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if ((File.GetUnixFileMode(path) & Others) != 0)
            {
                throw new InputException(
                    $"the key file {path} can be read or changed by others than its owner: run chmod 600 on it, and replace the key if it may have been seen.");
            }
        }

        return File.ReadAllBytes(path);
    }

    private static void Store(string path, byte[] secret, bool overwrite)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        // Written beside and renamed, so that a kill leaves no half key.
        var beside = $"{path}.{Path.GetRandomFileName()}.new";
        using (var stream = new FileStream(beside, options))
        {
            stream.Write(secret);
            stream.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(beside, path, overwrite);
            DurableFile.FlushFolder(folder);
        }
        catch (IOException) when (!overwrite && File.Exists(path))
        {
            // Another process created it at the same time: its secret is the secret.
            File.Delete(beside);
        }
    }
}
