return await Cairn.Cli.App.RunAsync(args);
