using EdgeInspector.Line;
using EdgeInspector.Vision;

namespace EdgeInspector.Hosting;

/// <summary>
/// Loads a station's model beside the one that judges and puts it in that one's place when it is ready: the first engine
/// that TensorRT builds takes minutes, in which the line need not stand. When loading fails the old model goes on, and
/// <see cref="Fault"/> says why.
/// </summary>
/// <param name="what">What takes so long, such as "TensorRT engine".</param>
/// <param name="load">Loads the package; called once, on a thread of its own, since it may block for minutes.</param>
/// <param name="replace">Puts it in force; ends when the old one is no longer used. What it throws is the service's fault.</param>
/// <param name="time">For the progress.</param>
internal sealed class ModelBuild(
    string what,
    Func<ModelPackage> load,
    Func<ModelPackage, Task> replace,
    TimeProvider time
)
{
    private readonly Instant _begun = time.GetInstant();
    private volatile string? _fault;

    /// <summary>Ends when the new model is in force, or is not to be; faulted when something unforeseen happened.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Why the old model goes on, in one line; null while it is being replaced, and after.</summary>
    public string? Fault => _fault;

    /// <summary>For example "building TensorRT engine, 42 s"; null when it is over.</summary>
    public string? Progress =>
        Completion.IsCompleted ? null : $"building {what}, {(time.GetInstant() - _begun).TotalSeconds:F0} s";

    /// <summary>Starts loading; once.</summary>
    public void Start() => Completion = RunAsync();

    private async Task RunAsync()
    {
        ModelPackage package;
        try
        {
            package = await Task.Factory
                .StartNew(load, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                .ConfigureAwait(false);
        }
        catch (VisionException refused)
        {
            _fault = refused.Message;
            return;
        }

        await replace(package).ConfigureAwait(false);
    }
}
