using System.CommandLine;

var root = new RootCommand("EdgeInspector: inspects parts on a conveyor and rejects the bad ones on time.");
return await root.Parse(args).InvokeAsync();
