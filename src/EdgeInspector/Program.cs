using System.CommandLine;
using EdgeInspector.Cli;

var root = new RootCommand("EdgeInspector: inspects parts on a conveyor and rejects the bad ones on time.")
{
    RunCommand.Create(),
    DemoCommand.Create(),
    SimulateCommand.Create(),
    ModelCommand.Create(),
    InspectCommand.Create(),
    LedgerCommand.Create(),
    AuditCommand.Create(),
    TokenCommand.Create(),
    DiagnoseCommand.Create(),
    ContractCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
