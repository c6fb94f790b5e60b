namespace EdgeInspector.Vision.Inference;

/// <summary>How many threads a network gets and how many frames are in work at a time. Values in, a value out.</summary>
/// <param name="Mode">Latency or throughput, never Auto.</param>
/// <param name="Workers">Frames of one camera in work at a time.</param>
/// <param name="Threads">Threads for a network with a large input.</param>
/// <param name="ThreadsForSmall">Threads for a network whose input is at most <see cref="SmallInput"/> pixels.</param>
internal readonly record struct ThreadPlan(ThreadMode Mode, int Workers, int Threads, int ThreadsForSmall)
{
    /// <summary>Pixels, 256 × 256: below that, handing work over costs more than it gains.</summary>
    public const int SmallInput = 256 * 256;

    /// <summary>Threads beyond which one picture gets no faster.</summary>
    private const int MostThreads = 4;

    /// <param name="options">Sound.</param>
    /// <param name="onProcessor">
    /// Whether the processors run the networks. Beside an accelerator one thread feeds it, and a second frame only waits.
    /// </param>
    /// <param name="processors">Of this machine.</param>
    public static ThreadPlan Of(InferenceOptions options, bool onProcessor, int processors)
    {
        var mode = options.Mode switch
        {
            ThreadMode.Auto => options.Cameras > 1 ? ThreadMode.Throughput : ThreadMode.Latency,
            var stated => stated,
        };
        if (mode is ThreadMode.Throughput)
        {
            var share = onProcessor ? Math.Max(1, processors / options.Cameras) : 1;
            return new ThreadPlan(mode, options.Workers > 0 ? options.Workers : share, 1, 1);
        }

        return options.Threads > 0
            ? new ThreadPlan(mode, 1, options.Threads, options.Threads)
            : new ThreadPlan(mode, 1, Math.Min(processors, MostThreads), 1);
    }

    /// <param name="pixels">Of the network's input; 0 when they are not known.</param>
    public int For(int pixels) => pixels is > 0 and <= SmallInput ? ThreadsForSmall : Threads;
}
