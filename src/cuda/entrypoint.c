/* Called by R when it loads spaxR_cuda, the library with CUDA: the same functions as the package's own library. */
void spaxR_prepare(void);
void R_init_spaxR_extendr(void *dll);

void R_init_spaxR_cuda(void *dll) {
    spaxR_prepare();
    R_init_spaxR_extendr(dll);
}
