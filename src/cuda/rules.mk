
# The second library, with CUDA. R installs every library that it finds in this folder. It has NVIDIA's libraries by name, so that it
# loads only where they are; the package's own library stays free of them.
CUDA_TARGET = $(TARGET)/cuda
CUDA_ENVIRONMENT = CUDA_HOME="@CUDA_HOME@" CUDA_PATH="@CUDA_HOME@" CUDA_ROOT="@CUDA_HOME@" CUDA_TOOLKIT_ROOT_DIR="@CUDA_HOME@" CUDA_COMPUTE_CAP="@CUDA_COMPUTE_CAP@"
# The driver's library need not be on the machine that compiles. Where the toolkit has no stand-in for it either, an empty one serves.
CUDA_DRIVER = -L"@CUDA_LIB@/stubs" -Lcuda/stub -Wl,--push-state,--no-as-needed -lcuda -Wl,--pop-state
CUDA_LIBS = -L"@CUDA_LIB@" -Wl,-rpath,"@CUDA_LIB@" $(CUDA_DRIVER) -lcublas -lcublasLt -lcurand -lnvrtc -lcudart -lstdc++

# Linux only; and R's SHLIB_EXT is not known yet where make reads a target's name.
tidy: spaxR_cuda.so

.PHONY: cuda_library

cuda_library: $(SHLIB)
	PATH="@CUDA_HOME@/bin:@CARGO_BIN@:$(PATH)" @CARGO_HOME@ $(CUDA_ENVIRONMENT) cargo build --lib --release --locked --manifest-path rust/cuda/Cargo.toml --target-dir "$(CUDA_TARGET)" @FLAGS@

cuda/stub/libcuda.so:
	mkdir -p cuda/stub
	$(CC) -shared -Wl,-soname,libcuda.so.1 -o $@ -x c /dev/null

spaxR_cuda.so: cuda_library cuda/stub/libcuda.so
	$(CC) $(ALL_CPPFLAGS) $(CPICFLAGS) $(CFLAGS) -c cuda/entrypoint.c -o cuda/entrypoint.o
	$(SHLIB_LINK) -o $@ cuda/entrypoint.o "$(CUDA_TARGET)/release/libspaxR.a" $(CUDA_LIBS) @LINK@ $(LIBR)
