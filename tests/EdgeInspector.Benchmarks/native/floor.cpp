// The floor in C++: the same models through ONNX Runtime's own interface, nothing around them.
//   floor LIBRARY serve DETECTOR CLASSIFIER|- CROPS   a line in is one run, its milliseconds come back
//   floor LIBRARY once DETECTOR CLASSIFIER|- CROPS    from start to first result, then ends
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Network {
  Ort::Session session;
  std::string input, output;
  std::vector<int64_t> inputShape, outputShape;
  std::vector<float> inputValues, outputValues;
  Ort::Value in{nullptr}, out{nullptr};

  Network(Ort::Env& env, const char* path, int64_t batch) : session(nullptr) {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(static_cast<int>(std::thread::hardware_concurrency()));
    options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
    // Two pools that spin when idle would take each other's processors.
    options.AddConfigEntry("session.force_spinning_stop", "1");
    session = Ort::Session(env, path, options);
    Ort::AllocatorWithDefaultOptions allocator;
    input = session.GetInputNameAllocated(0, allocator).get();
    output = session.GetOutputNameAllocated(0, allocator).get();
    inputShape = session.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
    outputShape = session.GetOutputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
    inputShape[0] = outputShape[0] = batch;
    auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    auto make = [&](std::vector<float>& values, const std::vector<int64_t>& shape) {
      values.assign(std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()), 0.5f);
      return Ort::Value::CreateTensor<float>(memory, values.data(), values.size(), shape.data(), shape.size());
    };
    in = make(inputValues, inputShape);
    out = make(outputValues, outputShape);
  }

  void Run(const Ort::RunOptions& options) {
    const char* ins[] = {input.c_str()};
    const char* outs[] = {output.c_str()};
    session.Run(options, ins, &in, 1, outs, &out, 1);
  }
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::fprintf(stderr, "floor LIBRARY serve|once DETECTOR CLASSIFIER|- CROPS\n");
    return 2;
  }

  setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  void* library = dlopen(arguments[1], RTLD_NOW);
  using GetBase = const OrtApiBase* (*)();
  auto base = library ? reinterpret_cast<GetBase>(dlsym(library, "OrtGetApiBase")) : nullptr;
  if (!base) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }

  Ort::InitApi(base()->GetApi(ORT_API_VERSION));
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "floor");
  Network detector(env, arguments[3], 1);
  std::unique_ptr<Network> classifier;
  if (std::strcmp(arguments[4], "-") != 0) {
    classifier = std::make_unique<Network>(env, arguments[4], std::atoi(arguments[5]));
  }

  Ort::RunOptions options;
  auto run = [&] {
    auto began = std::chrono::steady_clock::now();
    detector.Run(options);
    if (classifier) {
      classifier->Run(options);
    }
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  };

  if (std::strcmp(arguments[2], "once") == 0) {
    std::printf("%.6f\n", run());
    std::fflush(stdout);
    std::_Exit(0);
  }

  run();
  std::puts("ready");
  std::fflush(stdout);
  char line[16];
  while (std::fgets(line, sizeof line, stdin)) {
    std::printf("%.6f\n", run());
    std::fflush(stdout);
  }
}
