namespace EdgeInspector.Vision.Inference;

/// <summary>How many threads a network gets and how many frames are in work at a time. Values in, a value out.</summary>
/// <param name="Mode">Latency or throughput, never Auto.</param>
/// <param name="Workers">Frames of one camera in work at a time.</param>
/// <param name="Threads">Threads for a network that has work for them.</param>
/// <param name="ThreadsForSmall">Threads for one whose picture takes a few hundred microseconds.</param>
internal readonly record struct ThreadPlan(ThreadMode Mode, int Workers, int Threads, int ThreadsForSmall)
{
    /// <summary>
    /// A network is small with an input of at most so many pixels, 256 × 256, and at most so many weights: handing its work
    /// over costs more than it gains. Measured at 60 frames a second on two processors: the factory's detector and
    /// classifier, 160 × 120 and 64 × 64 with 0.3 million weights at most, take 0.9 ms with one thread each and 1.4 ms with
    /// two; a classifier of 1.2 million weights takes 4.0 ms for eight crops with one and 2.3 ms with two.
    /// </summary>
    private const int SmallInput = 256 * 256;

    /// <summary>See <see cref="SmallInput"/>.</summary>
    private const long SmallWeights = 500_000;

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
    /// <param name="weights">How many numbers the network has learnt.</param>
    public int For(int pixels, long weights) =>
        pixels is > 0 and <= SmallInput && weights <= SmallWeights ? ThreadsForSmall : Threads;
}
